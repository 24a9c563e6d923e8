"""Tells in the events of a task's outlet assets how much was uploaded: a DAG that they start can decide by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_userdata.airflow_compat import Asset
from airflow_provider_userdata.delivery import Report

COUNTS = ("read", "delivered", "rejected", "invalid", "refused", "held", "unchanged", "unknown", "valid", "resent")


def describe(context: Any, outlets: Sequence[object], vendor: str, kind: str, report: Report) -> None:
    """Add the counts to the event of each outlet asset. Airflow sends the events if the task succeeds.

    What the DAG's author has put into an event stays.

    :param context: Airflow's context of the task.
    :param vendor: the connection type.
    :param kind: the kind of records; empty if the vendor has one only.
    """
    events = context.get("outlet_events")
    if events is None:
        return
    told = {"vendor": vendor, "kind": kind, **{name: getattr(report, name) for name in COUNTS}}
    for outlet in outlets:
        if isinstance(outlet, Asset):
            event = events[outlet]
            event.extra = {**told, **event.extra}
