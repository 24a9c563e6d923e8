"""The file formats, by the ending of a file's name or by a `FileSource`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.sources.delimited import Table
from airflow_provider_userdata.sources.file_source import FileSource
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.jsonfile import check_json, read_json
from airflow_provider_userdata.sources.jsonlines import check_lines, read_lines
from airflow_provider_userdata.sources.parquet import check_parquet, read_parquet
from airflow_provider_userdata.sources.table_grammar import Dialect


@dataclass(frozen=True, slots=True)
class Format:
    """The functions that check the beginning of a file of one format, and yield its rows.

    :param check: returns the number of its rows, if the beginning says it.
    :param is_text: whether its content is text, which may be compressed, and is read from front to back.
    """

    check: Callable[[IO[bytes], Wanted], int | None]
    read: Callable[[IO[bytes], Wanted], Iterator[Chunk]]
    is_text: bool = True


_LINES = Format(check_lines, lambda stream, _: read_lines(stream))
_CSV, _TSV = Table(Dialect()), Table(Dialect("\t"))

FORMATS = {
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".json": Format(check_json, lambda stream, _: read_json(stream)),
    ".csv": Format(_CSV.check, _CSV.read),
    ".tsv": Format(_TSV.check, _TSV.read),
    ".parquet": Format(check_parquet, read_parquet, is_text=False),
}


def format_of(name: str) -> Format | None:
    """Return a file's format by the ending of its name, in upper or lower case, compressed or not; None if unknown."""
    ending = _ending(name)
    return FORMATS[ending] if ending else None


def format_by(options: FileSource, name: str) -> Format | None:
    """Return the format of a file of a `FileSource`; None if it isn't given and the file's name has no known ending.

    :raises SourceError: if an option doesn't fit it.
    """
    ending = f".{options.format}" if options.format is not None else _ending(name)
    if ending is None:
        return None
    form = ending[1:]
    options.check_for(form)
    line = options.skip_lines + 1
    if form in ("csv", "tsv"):
        table = Table(Dialect(options.delimiter_for(form), options.quote, options.escape), line)
        return Format(table.check, table.read)
    if form == "json" and options.records is not None:
        records = options.records
        return Format(
            lambda stream, wanted: check_json(stream, wanted, records=records),
            lambda stream, _: read_json(stream, records=records),
        )
    if form in ("jsonl", "ndjson"):
        return Format(check_lines, lambda stream, _: read_lines(stream, line=line))
    return FORMATS[ending]


def _ending(name: str) -> str | None:
    stem = name.lower().removesuffix(".gz")
    return next((ending for ending in FORMATS if stem.endswith(ending)), None)
