"""The same records in the other forms that people have them in: made once each from a source's own file."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.data import Source
from benchmarks.places import BenchmarkError, say
from scripts import postgres

Rows = Iterator[Sequence[Any]]
_AT_ONCE = 10_000


def made(source: Source, ending: str) -> Path:
    """Write a source's records into a file of another form, unless an earlier run did.

    :param ending: of the file's name: it says in which form.
    """
    own = source.made()
    path = own.with_name(own.name.split(".")[0] + ending)
    if not path.exists():
        say(f"Writing {path.name}…")
        part = path.with_name(f"part-{path.name}")
        part.unlink(missing_ok=True)
        _WRITERS[ending](source, part)
        part.rename(path)
    return path


@contextmanager
def postgres_address() -> Iterator[str]:
    """Run a PostgreSQL of the benchmark's own, and give the address of its database."""
    try:
        with postgres.server() as address:
            yield address.replace("postgresql+psycopg", "postgresql")
    except SystemExit as error:
        raise BenchmarkError(str(error)) from None


def fill_postgres(address: str, source: Source) -> None:
    """Write a source's records into a table that has its vendor's name."""
    import psycopg

    say(f"Filling PostgreSQL's table {source.vendor}…")
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(_table(source).encode())
        with cursor.copy(f"COPY {source.vendor} FROM STDIN".encode()) as copy:
            for number, row in enumerate(_rows(source)):
                copy.write_row((number, *row))
        cursor.execute(f"ANALYZE {source.vendor}".encode())


def _rows(source: Source) -> Rows:
    """Give the records' values, in the order of the example's."""
    with source.made().open(encoding="utf-8", newline="") as file:
        if source.vendor == "gerosense":
            yield from (tuple(json.loads(line).values()) for line in file)
        else:
            lines = csv.reader(file)
            next(lines)
            yield from lines


def _table(source: Source) -> str:
    columns = [f"{name} {'INTEGER' if value == 1 else 'TEXT'}" for name, value in data.example(source.vendor).items()]
    return f"CREATE TABLE {source.vendor} (number INTEGER PRIMARY KEY, {', '.join(columns)})"


def _write_csv(source: Source, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(data.example(source.vendor))
        writer.writerows(_rows(source))


def _write_sqlite(source: Source, path: Path) -> None:
    marks = ", ".join("?" * (1 + len(data.example(source.vendor))))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(_table(source))
        rows = ((number, *row) for number, row in enumerate(_rows(source)))
        connection.executemany(f"INSERT INTO {source.vendor} VALUES ({marks})", rows)


def _write_parquet(source: Source, path: Path) -> None:
    """Write a file as pyarrow does where nothing is said: compressed, a million rows in a row group."""
    import pyarrow as pa
    from pyarrow import parquet

    names, rows = list(data.example(source.vendor)), _rows(source)
    batches = []
    while part := list(islice(rows, _AT_ONCE)):
        batches.append(pa.record_batch([pa.array(column) for column in zip(*part, strict=True)], names=names))
    parquet.write_table(pa.Table.from_batches(batches), path)


def _gzipped(ending: str) -> Callable[[Source, Path], None]:
    def write(source: Source, path: Path) -> None:
        with made(source, ending).open("rb") as plain, gzip.open(path, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)

    return write


_WRITERS: dict[str, Callable[[Source, Path], None]] = {
    ".csv": _write_csv,
    ".csv.gz": _gzipped(".csv"),
    ".jsonl.gz": _gzipped(".jsonl"),
    ".parquet": _write_parquet,
    ".db": _write_sqlite,
}
