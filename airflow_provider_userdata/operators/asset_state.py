"""Shows the most recent delivered sample of each device in the state of the asset that a task updates (G9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_userdata.airflow_compat import Asset
from airflow_provider_userdata.delivery.incremental import LatestSamples
from airflow_provider_userdata.vendors import Moment
from airflow_provider_userdata.vendors.validation import timestamps

LONGEST_NAME = 200
"""Characters: samples of a device with a longer name are not shown, to keep the value small enough for Airflow's UI."""


def shown_on(outlets: Sequence[object]) -> Asset | None:
    """Return the asset that shows the samples: the task's only outlet, if it is an asset; else None."""
    return outlets[0] if len(outlets) == 1 and isinstance(outlets[0], Asset) else None


def show(context: Any, outlets: Sequence[object], kind: str, recent: Mapping[str, str], log: Any) -> None:
    """Merge what a run delivered into the asset's state, if Airflow has asset states (from 3.3 on).

    It is for display only: a failure is logged as a warning.

    :param outlets: the task's outlets; nothing is shown unless there is exactly one.
    :param kind: the kind of records; each has its own key, `most_recent_<kind>`.
    :param recent: maps each device to the timestamp of its most recent sample.
    """
    asset = shown_on(outlets)
    if not recent or asset is None:
        return
    key = f"most_recent_{kind}"
    try:
        state = context["asset_state_store"][asset]
    except KeyError:
        return  # an Airflow without asset states
    try:
        before = state.get(key)
        state.set(key, merged(before if isinstance(before, dict) else {}, recent))
    except Exception as error:  # noqa: BLE001  # whatever Airflow raises
        log.warning("The most recent samples can't be shown on the asset: %s", type(error).__name__)


def merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return the most recent timestamp of each device, limited to the most recent devices.

    :param parts: map devices to timestamps; an entry whose timestamp is not valid is dropped.
    """
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
