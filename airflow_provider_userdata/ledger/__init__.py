"""What earlier runs delivered, in a SQL database: fingerprints, no data."""

from __future__ import annotations

from airflow_provider_userdata.ledger.fingerprints import KEY_SIZE, Fingerprints
from airflow_provider_userdata.ledger.ledger import LEASE, SqlLedger
from airflow_provider_userdata.ledger.stream import Stream

__all__ = ["KEY_SIZE", "LEASE", "Fingerprints", "SqlLedger", "Stream"]
