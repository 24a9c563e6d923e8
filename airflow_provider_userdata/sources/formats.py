"""Which endings of file names are read, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import IO

from airflow_provider_userdata.delivery.chunks import Chunk
from airflow_provider_userdata.sources.jsonfile import look_at_json, read_json
from airflow_provider_userdata.sources.jsonlines import look_at_lines, read_lines
from airflow_provider_userdata.sources.tables import Table


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of one kind is read.

    :param look: looks at a file's beginning, and gives its columns where the kind has any.
    :param read: gives the file's rows.
    """

    look: Callable[[IO[bytes]], Collection[str] | None]
    read: Callable[[IO[bytes]], Iterator[Chunk]]


_LINES = Format(look_at_lines, read_lines)
_CSV, _TSV = Table("excel"), Table("excel-tab")

FORMATS = {
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": Format(look_at_json, read_json),
    ".csv": Format(_CSV.look, _CSV.read),
    ".tsv": Format(_TSV.look, _TSV.read),
}


def format_of(name: str) -> Format | None:
    """Find a file's format by the end of its name, in whatever case, compressed or not."""
    stem = name.lower().removesuffix(".gz")
    return next((form for ending, form in FORMATS.items() if stem.endswith(ending)), None)
