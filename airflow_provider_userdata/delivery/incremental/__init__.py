"""Leaves out what earlier runs delivered, as a ledger proves."""

from __future__ import annotations

from airflow_provider_userdata.delivery.incremental.change_filter import (
    ChangeFilter,
    Ledger,
    identify,
    with_duplicates,
)
from airflow_provider_userdata.delivery.incremental.in_flight import Sifted
from airflow_provider_userdata.delivery.incremental.latest_samples import LatestSamples
from airflow_provider_userdata.delivery.incremental.lookup_queue import LookupQueue

__all__ = ["ChangeFilter", "LatestSamples", "Ledger", "LookupQueue", "Sifted", "identify", "with_duplicates"]
