"""The most recent sample of each device that was delivered, for people to see (G9)."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_userdata.vendors import Moment

MOST_DEVICES = 200
"""How many devices are kept: those with the most recent samples."""


class LatestSamples:
    """Keeps the most recent moment of each of some devices."""

    def __init__(self) -> None:
        self._newest: dict[str, Moment] = {}

    def note(self, moments: Iterable[Moment]) -> None:
        """Take moments, in any order."""
        newest = self._newest
        for moment in moments:
            known = newest.get(moment.device)
            if known is None or moment.instant > known.instant:
                newest[moment.device] = moment
        if len(newest) > 2 * MOST_DEVICES:
            self._newest = {moment.device: moment for moment in self._most_recent()}

    def as_dict(self) -> dict[str, str]:
        """Give device to moment, the most recent first."""
        return {moment.device: moment.text for moment in self._most_recent()}

    def _most_recent(self) -> list[Moment]:
        return sorted(self._newest.values(), key=lambda moment: moment.instant, reverse=True)[:MOST_DEVICES]
