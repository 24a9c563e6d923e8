"""The three vendors on this machine, strict about their contracts: to try uploads, and to test them.

``python -m airflow_provider_userdata.sandbox`` runs it by hand; :class:`Sandbox` runs it inside a test.
"""

from __future__ import annotations

from airflow_provider_userdata.sandbox.arrivals import Counts, Request
from airflow_provider_userdata.sandbox.faults import Fault
from airflow_provider_userdata.sandbox.limits import RateLimit
from airflow_provider_userdata.sandbox.server import SANDBOX_KEYS, Sandbox

__all__ = ["SANDBOX_KEYS", "Counts", "Fault", "RateLimit", "Request", "Sandbox"]
