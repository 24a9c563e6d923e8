"""What earlier runs delivered, in a SQL database: fingerprints, no data."""

from __future__ import annotations

from airflow_provider_userdata.ledger.admin import LedgerAdmin, StreamSummary
from airflow_provider_userdata.ledger.beginning import Found
from airflow_provider_userdata.ledger.database import ENGINE_OPTIONS, SQLITE_OPTIONS
from airflow_provider_userdata.ledger.fingerprints import KEY_SIZE, Fingerprints
from airflow_provider_userdata.ledger.identity import WAYS_OUT
from airflow_provider_userdata.ledger.ledger import LEASE, SqlLedger
from airflow_provider_userdata.ledger.stream import Stream

__all__ = [
    "ENGINE_OPTIONS",
    "KEY_SIZE",
    "LEASE",
    "SQLITE_OPTIONS",
    "WAYS_OUT",
    "Fingerprints",
    "Found",
    "LedgerAdmin",
    "SqlLedger",
    "Stream",
    "StreamSummary",
]
