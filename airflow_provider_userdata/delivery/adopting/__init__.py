"""Finds out what a finished run delivered, from its receipts and its source: for the ledger of later runs."""

from __future__ import annotations

from airflow_provider_userdata.delivery.adopting.past_source import PastRun, read_again
from airflow_provider_userdata.delivery.adopting.proofs import Proofs, Standing, proofs_of

__all__ = ["PastRun", "Proofs", "Standing", "proofs_of", "read_again"]
