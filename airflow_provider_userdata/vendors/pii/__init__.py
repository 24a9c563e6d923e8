"""Recognises personal data that is not to be sent (T8)."""

from __future__ import annotations

from airflow_provider_userdata.vendors.pii.guard import Guard

__all__ = ["Guard"]
