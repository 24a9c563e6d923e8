"""Reads a source in chunks, and computes its digest."""

from __future__ import annotations

from airflow_provider_userdata.delivery.reading.digest import Mark, Marks, text_of
from airflow_provider_userdata.delivery.reading.originals import OriginalDigest, OriginalRow, original_row
from airflow_provider_userdata.delivery.reading.reader import ChunkReader, Read
from airflow_provider_userdata.delivery.reading.source import (
    Buffer,
    Chunk,
    Header,
    RowFormat,
    Source,
    TextRecord,
    TextRow,
    Unreadable,
    ValueRow,
)
from airflow_provider_userdata.delivery.reading.table_rows import TableRows
from airflow_provider_userdata.delivery.reading.table_text import table_text

__all__ = [
    "Buffer",
    "Chunk",
    "ChunkReader",
    "Header",
    "Mark",
    "Marks",
    "OriginalDigest",
    "OriginalRow",
    "Read",
    "RowFormat",
    "Source",
    "TableRows",
    "TextRecord",
    "TextRow",
    "Unreadable",
    "ValueRow",
    "original_row",
    "table_text",
    "text_of",
]
