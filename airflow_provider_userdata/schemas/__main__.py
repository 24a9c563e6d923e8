"""Writes the schemas."""

from __future__ import annotations

from airflow_provider_userdata.schemas import write

write()
