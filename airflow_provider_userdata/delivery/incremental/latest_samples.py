"""The latest delivered sample of each device, for people to see (G9)."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_userdata.vendors import Moment

MOST_DEVICES = 200
"""How many devices are kept: those with the latest samples."""


class LatestSamples:
    """Keeps the latest moment of each device."""

    def __init__(self) -> None:
        self._latest: dict[str, Moment] = {}

    def note(self, moments: Iterable[Moment]) -> None:
        """Add moments, in any order."""
        latest = self._latest
        for moment in moments:
            known = latest.get(moment.device)
            if known is None or moment.instant > known.instant:
                latest[moment.device] = moment
        if len(latest) > 2 * MOST_DEVICES:
            self._latest = {moment.device: moment for moment in self._latest_first()}

    def as_dict(self) -> dict[str, str]:
        """Return the moment of each device, the latest first."""
        return {moment.device: moment.text for moment in self._latest_first()}

    def _latest_first(self) -> list[Moment]:
        return sorted(self._latest.values(), key=lambda moment: moment.instant, reverse=True)[:MOST_DEVICES]
