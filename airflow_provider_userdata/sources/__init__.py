"""Reads records from lists, files, databases and functions, in chunks."""

from __future__ import annotations

from airflow_provider_userdata.sources.airflow_lookups import storage_path
from airflow_provider_userdata.sources.opening import open_source
from airflow_provider_userdata.sources.shapes import Parts
from airflow_provider_userdata.sources.sql import SqlSource
from airflow_provider_userdata.sources.untemplated import as_text, hold, is_location, unhold

__all__ = ["Parts", "SqlSource", "as_text", "hold", "is_location", "open_source", "storage_path", "unhold"]
