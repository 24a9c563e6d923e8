"""The file formats, by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.sources.delimited import Table
from airflow_provider_userdata.sources.file_limits import Readable
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.jsonfile import check_json, read_json
from airflow_provider_userdata.sources.jsonlines import check_lines, read_lines


@dataclass(frozen=True, slots=True)
class Format:
    """The functions that check the beginning of a file of one format, and yield its rows."""

    check: Callable[[IO[bytes], Wanted], None]
    read: Callable[[Readable, Wanted], Iterator[Chunk]]


_LINES = Format(check_lines, lambda stream, _: read_lines(stream))
_CSV, _TSV = Table("excel"), Table("excel-tab")

FORMATS = {
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": Format(check_json, lambda stream, _: read_json(stream)),
    ".csv": Format(_CSV.check, _CSV.read),
    ".tsv": Format(_TSV.check, _TSV.read),
}


def format_of(name: str) -> Format | None:
    """Return a file's format by the ending of its name, in upper or lower case, compressed or not; None if unknown."""
    stem = name.lower().removesuffix(".gz")
    return next((form for ending, form in FORMATS.items() if stem.endswith(ending)), None)
