"""Shows the most recent synchronized sample of each device, on the asset that a task updates (G9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_userdata.airflow_compat import Asset
from airflow_provider_userdata.delivery.incremental import LatestSamples
from airflow_provider_userdata.vendors import Moment
from airflow_provider_userdata.vendors.validation import timestamps

LONGEST_NAME = 200
"""Characters of a device's name, so that the value stays one that Airflow's pages show."""


def shown_on(outlets: Sequence[object]) -> Asset | None:
    """Give the asset that shows the samples: a task's one outlet, where it is an asset."""
    return outlets[0] if len(outlets) == 1 and isinstance(outlets[0], Asset) else None


def show(context: Any, outlets: Sequence[object], kind: str, recent: Mapping[str, str], log: Any) -> None:
    """Merge what a run delivered into the asset's state, where Airflow keeps one (from 3.3 on) and there is one outlet.

    It is for people to see: where it fails, a warning is all.

    :param outlets: the task's.
    :param kind: of the records: each has a key of its own, `most_recent_<kind>`.
    :param recent: device to moment.
    """
    asset = shown_on(outlets)
    if not recent or asset is None:
        return
    key = f"most_recent_{kind}"
    try:
        state = context["asset_state_store"][asset]
    except KeyError:
        return  # an Airflow without
    try:
        before = state.get(key)
        state.set(key, merged(before if isinstance(before, dict) else {}, recent))
    except Exception as error:  # noqa: BLE001  # Airflow's side may fail in any way
        log.warning("The most recent samples can't be shown on the asset: %s", type(error).__name__)


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Give the most recent of each device, and of the devices the most recent ones; drop what is no timestamp."""
    newest = LatestSamples()
    for part in parts:
        for device, text in part.items():
            try:
                moment = Moment(device, text, timestamps.parse(text))
            except (timestamps.NotInProfile, TypeError):
                continue
            if len(device) <= LONGEST_NAME:
                newest.note([moment])
    return newest.as_dict()
