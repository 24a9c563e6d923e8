"""Valid records that are to be sent: one alone, or a batch of them as columns."""

from __future__ import annotations

from airflow_provider_userdata.records.json_lines import JsonLines
from airflow_provider_userdata.records.map_with_errors import each
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.records.record_batch import (
    RecordBatch,
    array_of,
    by_user,
    entries_of,
    first_user,
    groups_of,
    joined,
    lines_of,
    ranges,
    ranges_of,
    users_of,
    where,
    with_entries,
    without,
)

__all__ = [
    "JsonLines",
    "Record",
    "RecordBatch",
    "array_of",
    "by_user",
    "each",
    "entries_of",
    "first_user",
    "groups_of",
    "joined",
    "lines_of",
    "ranges",
    "ranges_of",
    "users_of",
    "where",
    "with_entries",
    "without",
]
