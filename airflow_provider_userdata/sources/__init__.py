"""Reads records from lists, files, databases and functions, in chunks."""

from __future__ import annotations

from airflow_provider_userdata.sources.opening import open_source
from airflow_provider_userdata.sources.sql import SqlSource
from airflow_provider_userdata.sources.untemplated import Records, as_text, hold, unhold

__all__ = ["Records", "SqlSource", "as_text", "hold", "open_source", "unhold"]
