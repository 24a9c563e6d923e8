"""Reads a source in chunks, and computes its digest."""

from __future__ import annotations

from airflow_provider_userdata.delivery.reading.digest import Mark, Marks, text_of
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

__all__ = [
    "Buffer",
    "Chunk",
    "ChunkReader",
    "Header",
    "Mark",
    "Marks",
    "Read",
    "RowFormat",
    "Source",
    "TextRecord",
    "TextRow",
    "Unreadable",
    "ValueRow",
    "text_of",
]
