"""Queries on warehouses that can't run here, by doubles of what their hooks give: cursors that load rows in parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import pytest

from airflow_provider_userdata.sources import SqlSource
from airflow_provider_userdata.sources.sql import read_query
from tests.doubles.databases import Hook

PARTS, ROWS_IN_A_PART = 20, 1500


class Parts:
    """A query's result, which the warehouse hands out in parts."""

    def __init__(self) -> None:
        self.loaded = 0
        self.closed = 0

    def rows(self) -> Iterator[list[int]]:
        """Yield the rows; each part is loaded when its first row is asked for."""
        for part in range(PARTS):
            self.loaded += 1
            yield from ([part * ROWS_IN_A_PART + place] for place in range(ROWS_IN_A_PART))


class BigQueryConnection:
    """Stands for the connection of Airflow's BigQuery hook: it takes no options, and closing it does nothing."""

    __module__ = "airflow.providers.google.cloud.hooks.bigquery"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def cursor(self) -> BigQueryCursor:
        """Open a cursor."""
        return BigQueryCursor(self.parts)

    def close(self) -> None:
        """Do nothing."""
        self.parts.closed += 1


class BigQueryCursor:
    """Stands for the hook's cursor: rows are lists, read a page at a time, as many as the service gives."""

    def __init__(self, parts: Parts) -> None:
        self.description: list[tuple[Any, ...]] = []
        self._parts = parts
        self._rows = parts.rows()

    def execute(self, operation: str, parameters: dict[str, Any] | None = None) -> None:
        """Run the query; its first page is loaded for the columns."""
        self.description = [("n", "INTEGER", None, None, None, None, True)]

    def fetchmany(self, size: int | None = None) -> list[list[int]]:
        """Return the next rows: as many as asked for, across pages."""
        return list(islice(self._rows, 1 if size is None else size))

    def close(self) -> None:
        """Do nothing."""
        self._parts.closed += 1


class ResultMetadata(NamedTuple):
    """A column as Snowflake's client describes it."""

    name: str
    type_code: int


class SnowflakeConnection:
    """Stands for Snowflake's connection: a cursor may be of another class, and has no name."""

    __module__ = "snowflake.connector.connection"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def cursor(self, cursor_class: type | None = None) -> SnowflakeCursor:
        """Open a cursor."""
        assert cursor_class is None
        return SnowflakeCursor(self.parts)

    def close(self) -> None:
        """Close the session."""
        self.parts.closed += 1


class SnowflakeCursor:
    """Stands for Snowflake's cursor: result batches are downloaded as rows are fetched; rows are tuples."""

    def __init__(self, parts: Parts) -> None:
        self.description: list[ResultMetadata] = []
        self._parts = parts
        self._rows = map(tuple, parts.rows())

    def execute(self, command: str, params: Any = None) -> SnowflakeCursor:
        """Run the query."""
        self.description = [ResultMetadata("n", 0)]
        return self

    def fetchone(self) -> tuple[int, ...] | None:
        """Return the next row."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[int, ...]]:
        """Return the next rows, by fetching one after the other."""
        rows = (self.fetchone() for _ in range(1 if size is None else size))
        return [row for row in rows if row is not None]

    def close(self) -> bool:
        """Close it."""
        self._parts.closed += 1
        return True


@pytest.mark.parametrize("connection", [BigQueryConnection, SnowflakeConnection])
def test_a_warehouses_rows_are_loaded_as_they_are_read(connection: type[Any]) -> None:
    """The plain cursor of its hook does that by itself: what is loaded is little ahead of what was read."""
    parts = Parts()
    chunks = read_query(SqlSource("SELECT n FROM t", "warehouse"), Hook(lambda: connection(parts)))

    assert next(chunks).rows[-1].as_dict() == {"n": 999}
    assert parts.loaded == 1
    assert sum(len(chunk.rows) for chunk in chunks) == PARTS * ROWS_IN_A_PART - 1000
    assert (parts.loaded, parts.closed) == (PARTS, 2)
