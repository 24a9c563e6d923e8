"""Which endings of file names are read, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.sources.delimited import Table
from airflow_provider_userdata.sources.file_limits import Readable
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.jsonfile import look_at_json, read_json
from airflow_provider_userdata.sources.jsonlines import look_at_lines, read_lines


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of one kind is read.

    :param look: checks a file's beginning.
    :param read: returns the file's rows.
    """

    look: Callable[[Readable, Wanted], None]
    read: Callable[[Readable, Wanted], Iterator[Chunk]]


_LINES = Format(look_at_lines, lambda stream, _: read_lines(stream))
_CSV, _TSV = Table("excel"), Table("excel-tab")

FORMATS = {
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": Format(look_at_json, lambda stream, _: read_json(stream)),
    ".csv": Format(_CSV.look, _CSV.read),
    ".tsv": Format(_TSV.look, _TSV.read),
}


def format_of(name: str) -> Format | None:
    """Find a file's format by the end of its name, in whatever case, compressed or not."""
    stem = name.lower().removesuffix(".gz")
    return next((form for ending, form in FORMATS.items() if stem.endswith(ending)), None)
