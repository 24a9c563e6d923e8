"""The three vendors on this machine, strict about their contracts: to try uploads, and to test them.

``python -m airflow_provider_userdata.sandbox`` runs it by hand; :class:`Sandbox` runs it inside a test.
"""

from __future__ import annotations

from airflow_provider_userdata.sandbox.arrivals import Arrival, Counts
from airflow_provider_userdata.sandbox.faults import ScriptedFault
from airflow_provider_userdata.sandbox.limits import VendorRateLimit
from airflow_provider_userdata.sandbox.server import SANDBOX_KEYS, Sandbox

__all__ = ["SANDBOX_KEYS", "Arrival", "Counts", "Sandbox", "ScriptedFault", "VendorRateLimit"]
