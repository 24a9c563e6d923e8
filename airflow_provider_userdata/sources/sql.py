"""Records from a database query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.airflow_lookups import database_hook
from airflow_provider_userdata.sources.chunking import ROWS, chunked
from airflow_provider_userdata.sources.query_faults import query_fault


class SqlSource:
    """A query on any of Airflow's database connections; its rows are the records. Rows are streamed.

    An attempt that resumes an earlier one runs the query again, so use an ``ORDER BY``.
    (MySQL's usual client fetches the whole result first; PostgreSQL's are read through a server-side cursor.)

    :param sql: the query, templated.
    :param conn_id: the id of the database's connection.
    :param parameters: the query's parameters, in the form that its driver expects, templated.
    """

    template_fields = ("sql", "parameters")
    rendered = False
    """Whether this is a copy with rendered templates."""

    def __init__(self, sql: str, conn_id: str, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters

    def __repr__(self) -> str:
        return f"SqlSource(sql={self.sql!r}, conn_id={self.conn_id!r})"

    def resolve(self, context: Mapping[str, Any]) -> SqlSource:
        """Return a rendered copy. Airflow calls this; otherwise it would change this object, which other runs share.

        :param context: Airflow's context of the task.
        """
        render = context["task"].render_template
        copy = SqlSource(render(self.sql, context), self.conn_id, render(self.parameters, context))
        copy.rendered = True
        return copy

    def connect(self) -> Any:
        """Return the database's hook. Asks Airflow for the connection: call it from the task's main thread."""
        return database_hook(self.conn_id)


class QuerySource:
    """The rows of a query. The connection is opened, used and closed by the thread that reads.

    :param query: the query.
    :param hook: the hook of its connection.
    :param columns: the columns that the result must have.
    """

    __slots__ = ("_columns", "_hook", "_query")

    def __init__(self, query: SqlSource, hook: Any, columns: Collection[str] = ()) -> None:
        self._query = query
        self._hook = hook
        self._columns = columns

    @property
    def total(self) -> int | None:
        """None: counting would run the query twice."""
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Run the query, and yield its rows as dictionaries.

        :raises SourceError: if the query is at fault.
        :raises SourceBrokeError: if the database fails for another reason.
        """
        position = 0
        names: list[str] = []

        def take(rows: list[Any], count: int) -> bool:
            nonlocal names, position
            fetched = cursor.fetchmany(count)
            names = names or self._names(cursor.description)  # a server-side cursor knows them after the first fetch
            rows.extend([dict(zip(names, row, strict=True)) for row in fetched])
            position += len(fetched)
            return len(fetched) > 0

        try:
            with closing(self._hook.get_conn()) as connection, closing(_cursor(connection)) as cursor:
                _execute(cursor, self._query)
                yield from chunked(take, ROWS)
        except (UserdataError, GeneratorExit):
            raise
        except BaseException as error:
            place = f"source: the query on connection {self._query.conn_id!r}"
            if (fault := query_fault(error, _values(self._query.parameters))) is not None:
                raise SourceError(f"{place} is not valid: {fault}") from None
            # Only the type: a database's message may quote a record.
            raise SourceBrokeError(f"{place} failed at position {position}: {type(error).__name__}") from error

    def _names(self, description: Sequence[Sequence[Any]] | None) -> list[str]:
        place = f"source: the query on connection {self._query.conn_id!r}"
        if not description:
            raise SourceError(f"{place} returns no rows; it should be a SELECT")
        names = [str(column[0]) for column in description]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SourceError(f"{place} returns more than one column {twice[0]!r}; rename one with AS")
        missing = [column for column in self._columns if column not in names]
        if missing:
            raise SourceError(f"{place} lacks the columns {', '.join(map(repr, missing))}; it has {', '.join(names)}")
        return names


def _cursor(connection: Any) -> Any:
    # PostgreSQL's clients fetch the whole result at once unless the cursor has a name.
    if type(connection).__module__.split(".")[0] in ("psycopg", "psycopg2"):
        return connection.cursor(name="userdata")
    return connection.cursor()


def _values(parameters: Mapping[str, Any] | Sequence[Any] | None) -> Iterable[Any]:
    return parameters.values() if isinstance(parameters, Mapping) else parameters or ()


def _execute(cursor: Any, query: SqlSource) -> None:
    if query.parameters is None:
        cursor.execute(query.sql)
    else:
        cursor.execute(query.sql, query.parameters)
