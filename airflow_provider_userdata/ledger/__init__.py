"""What earlier runs delivered, in a SQL database: fingerprints, no data."""

from __future__ import annotations

from airflow_provider_userdata.ledger.admin import LedgerAdmin, StreamSummary, open_admin
from airflow_provider_userdata.ledger.adoption import AdoptingLedger, Collected
from airflow_provider_userdata.ledger.beginning import Found
from airflow_provider_userdata.ledger.database import engine_options
from airflow_provider_userdata.ledger.identity import WAYS_OUT
from airflow_provider_userdata.ledger.ledger import LEASE, SqlLedger
from airflow_provider_userdata.ledger.stream import Stream

__all__ = [
    "LEASE",
    "WAYS_OUT",
    "AdoptingLedger",
    "Collected",
    "Found",
    "LedgerAdmin",
    "SqlLedger",
    "Stream",
    "StreamSummary",
    "engine_options",
    "open_admin",
]
