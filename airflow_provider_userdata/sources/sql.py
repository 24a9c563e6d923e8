"""Records from a database query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TableRows, table_text
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.chunking import ROWS, chunked
from airflow_provider_userdata.sources.cursors import streaming_cursor
from airflow_provider_userdata.sources.headers import Wanted, missing_columns
from airflow_provider_userdata.sources.query_faults import query_fault

_ALL = Wanted()


class SqlSource:
    """A query on any of Airflow's database connections; its rows are the records.

    Rows are streamed, and never all in memory, from PostgreSQL (psycopg and psycopg2), MySQL and MariaDB (mysqlclient,
    PyMySQL and MySQL's Connector), SQLite, DuckDB, Snowflake and BigQuery; from others if their client streams.
    An attempt that resumes an earlier one runs the query again, so use an ``ORDER BY``.

    :param sql: the query, templated.
    :param conn_id: the id of the database's connection.
    :param parameters: the query's parameters, in the form that its driver expects, templated.
    """

    template_fields = ("sql", "parameters")
    rendered = False
    """Whether this is a copy with rendered templates."""

    def __init__(self, sql: str, conn_id: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        # Not a dataclass: Airflow would write one that a task returns into its database, with its parameters.
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"SqlSource(sql={self.sql!r}, conn_id={self.conn_id!r})"

    def resolve(self, context: Mapping[str, Any]) -> SqlSource:
        """Return a rendered copy. Airflow calls this; otherwise it would change this object, which other runs share."""
        render = context["task"].render_template
        copy = SqlSource(render(self.sql, context), self.conn_id, render(self.parameters, context))
        copy.rendered = True
        return copy


def read_query(query: SqlSource, hook: Any, wanted: Wanted = _ALL) -> Iterator[Chunk]:
    """Run a query, and yield its rows. The thread that reads opens, uses and closes the connection.

    :param hook: the hook of the query's connection.
    :param wanted: which of its columns are taken.
    :raises SourceError: if the query is at fault.
    :raises SourceBrokeError: if the database fails for another reason.
    """
    place = f"source: the query on connection {query.conn_id!r}"
    position = 0
    columns = _Columns()

    def take(rows: list[Any], count: int) -> bool:
        nonlocal position
        fetched = cursor.fetchmany(count)
        if not position:
            columns.set(_names(cursor.description, wanted, place))  # some are known only after a fetch
        rows.extend(columns.rows(fetched))
        position += len(fetched)
        return len(fetched) > 0

    try:
        with closing(hook.get_conn()) as connection, streaming_cursor(connection) as cursor:
            cursor.execute(query.sql, *([] if query.parameters is None else [query.parameters]))
            # The text in the digest stays that of dictionaries, which the checkpoints of earlier versions have.
            yield from chunked(take, ROWS, columns.text, columns.chunk)
    except (UserdataError, GeneratorExit):
        raise
    except BaseException as error:
        if (fault := query_fault(error, _values(query.parameters))) is not None:
            raise SourceError(f"{place} is not valid: {fault}") from None
        # Only the type: a database's message may quote a record.
        raise SourceBrokeError(f"{place} failed at position {position}: {type(error).__name__}") from error


class _Columns:
    """Makes rows of a table from a query's rows."""

    def set(self, names: list[str]) -> None:
        """Set the names of the query's columns. Of columns with the same name, the last one is taken."""
        places = {name: place for place, name in enumerate(names)}
        self._header = Header(tuple(places))
        self._places = None if len(places) == len(names) else list(places.values())

    def rows(self, fetched: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
        """Return the values of the table's rows."""
        if fetched and isinstance(fetched[0], Mapping):  # a connection may ask for rows by name
            return [tuple([row[name] for name in self._header.names]) for row in fetched]
        values: Iterable[tuple[Any, ...]] = map(tuple, fetched)
        if (places := self._places) is not None:
            values = (tuple([row[place] for place in places]) for row in values)
        return values

    def text(self, rows: list[tuple[Any, ...]]) -> bytes:
        """Return the table's rows as text."""
        return table_text(self._header, rows)

    def chunk(self, rows: list[tuple[Any, ...]]) -> Chunk:
        """Return the table's rows as a chunk."""
        return Chunk(RowFormat.VALUES, TableRows.of(self._header, rows))


def _names(description: Sequence[Sequence[Any]] | None, wanted: Wanted, place: str) -> list[str]:
    if not description:
        raise SourceError(f"{place} returns no rows; it should be a SELECT")
    names = [str(column[0]) for column in description]
    taken = wanted.names if wanted.only else names
    twice = sorted({name for name in taken if names.count(name) > 1})
    if twice:
        raise SourceError(f"{place} returns more than one column {twice[0]!r}; rename one with AS")
    if (lacks := missing_columns(wanted, names, names)) is not None:
        raise SourceError(f"{place} {lacks}")
    return names


def _values(parameters: Mapping[str, Any] | Sequence[Any] | None) -> Iterable[Any]:
    return parameters.values() if isinstance(parameters, Mapping) else parameters or ()
