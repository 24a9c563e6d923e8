"""Where records come from: lists, files, databases, functions."""

from __future__ import annotations

from airflow_provider_userdata.sources.holder import Records, as_text, hold, unhold
from airflow_provider_userdata.sources.opening import open_source
from airflow_provider_userdata.sources.sql import SqlSource

__all__ = ["Records", "SqlSource", "as_text", "hold", "open_source", "unhold"]
