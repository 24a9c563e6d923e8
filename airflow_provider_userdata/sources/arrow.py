"""Tables with Arrow's columns as a source: data frames, Arrow's own tables and DuckDB's relations.

All of them are read by the Arrow C stream, `__arrow_c_stream__`. A frame of pandas becomes a table as pandas' own
stream makes it: NaN in it is a missing value, and an index is a column only if it has a name. In a frame of Polars, and
in Parquet, NaN is a number that isn't null, and no vendor takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TableRows
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.chunking import MOST_BYTES, LazySource
from airflow_provider_userdata.sources.file_limits import ROWS, BadFileError
from airflow_provider_userdata.sources.headers import Wanted, missing_columns
from airflow_provider_userdata.sources.shapes import frame_fault

EXTRA = "`pip install 'airflow-provider-userdata[arrow]'`"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table that are taken.

    :param header: their names.
    :param places: where they stand in the table.
    """

    header: Header
    places: list[int]


def open_table(table: Any, name: str, wanted: Wanted) -> LazySource:
    """Return a table's rows as a source of `TableRows`.

    :param table: a data frame, or anything else with an Arrow C stream.
    :param name: its name in messages.
    :param wanted: which of its columns are taken.
    :raises SourceError: if it can't be read, or lacks a column.
    """
    if (fault := frame_fault(table)) is not None:
        raise SourceError(f"source: {name} {fault}")
    total = _count(table)
    try:
        schema, open_reader = _stream_of(table, wanted)
        columns = columns_of(schema, wanted)
    except BadFileError as error:
        raise SourceError(f"source: {name}: {error}") from None
    return LazySource(partial(_read, open_reader, columns, name), total)


def _read(open_reader: Callable[[], Any], columns: Columns, name: str) -> Iterator[Chunk]:
    position = 0
    try:
        with closing(open_reader()) as reader:
            for batch in reader:
                for chunk in chunks_of_batch(batch, columns):
                    yield chunk
                    position += len(chunk.rows)
    except (UserdataError, GeneratorExit):
        raise
    except BaseException as error:
        # Only the type: the message may quote a value.
        raise SourceBrokeError(f"source: {name} failed at position {position}: {type(error).__name__}") from error


def need_pyarrow(what: str) -> None:
    """Check that pyarrow is installed; it is imported only when something needs it.

    :param what: what needs it, as a message begins.
    :raises BadFileError: if it isn't, or is too old.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise BadFileError(f"{what} is read by pyarrow, which can't be imported here; {EXTRA}") from error
    if not hasattr(pa.RecordBatchReader, "from_stream"):
        raise BadFileError(f"pyarrow {pa.__version__} is too old; {EXTRA}")


def columns_of(schema: Any, wanted: Wanted) -> Columns:
    """Return which of a table's columns are taken.

    :param schema: the table's Arrow schema.
    :raises BadFileError: if one is missing, is named twice, or has values that can't be read.
    """
    from airflow_provider_userdata.sources.arrow_values import type_fault

    unnamed = _unnamed_indexes(schema)
    taken = set(wanted.names) if wanted.only else set(schema.names) - unnamed
    places = _places((place, name) for place, name in enumerate(schema.names) if name in taken)
    if (lacks := missing_columns(wanted, places, schema.names)) is not None:
        raise BadFileError(f"it {lacks}")
    for name, place in places.items():
        if (fault := type_fault(schema.field(place).type)) is not None:
            others = "" if wanted.only else ", or name the others in `fields`"
            raise BadFileError(f"its column {name!r} {fault}; cast it to another type{others}")
    return Columns(Header(tuple(places)), list(places.values()))


def chunks_of_batch(batch: Any, columns: Columns) -> Iterator[Chunk]:
    """Yield the rows of a record batch; large rows in chunks of few.

    :param batch: the record batch.
    :param columns: which of its columns are taken.
    """
    from airflow_provider_userdata.sources.arrow_values import values_of

    taken = [batch.column(place) for place in columns.places]
    step = rows_at_once(sum(map(_size, taken)), batch.num_rows)
    for first in range(0, batch.num_rows, step):
        count = min(step, batch.num_rows - first)
        values = [values_of(column.slice(first, count)) for column in taken]
        yield Chunk(RowFormat.VALUES, TableRows(columns.header, values, count))


def rows_at_once(size: int, count: int) -> int:
    """Return how many rows make a chunk.

    :param size: the bytes of all rows.
    :param count: the number of rows.
    """
    return max(1, min(ROWS, MOST_BYTES * count // max(size, 1)))


def _size(column: Any) -> int:
    try:
        return int(column.nbytes)
    except TypeError:  # texts as Polars has them, in a pyarrow of up to 20
        return int(column.get_total_buffer_size())


def _unnamed_indexes(schema: Any) -> set[str]:
    """Return the columns that pandas made of an index without a name, as that of a frame that was filtered."""
    described = schema.pandas_metadata or {}
    return {
        name
        for name in described.get("index_columns", ())
        if isinstance(name, str) and name.startswith("__index_level_") and name.endswith("__")
    }


def _places(columns: Iterable[tuple[int, str]]) -> dict[str, int]:
    """Return where each column stands.

    :raises BadFileError: if two have the same name.
    """
    places: dict[str, int] = {}
    for place, name in columns:
        if name in places:
            raise BadFileError(f"it has two columns named {name!r}; rename one")
        places[name] = place
    return places


def _stream_of(table: Any, wanted: Wanted) -> tuple[Any, Callable[[], Any]]:
    """Return a table's Arrow schema, and what opens its reader."""
    need_pyarrow("it")
    import pyarrow as pa

    from_stream = pa.RecordBatchReader.from_stream
    taken = _taken(table, wanted)
    try:
        if type(table).__module__.partition(".")[0].lstrip("_") == "duckdb":
            # Not computed before it is read: a connection of DuckDB's has one open result at a time.
            with closing(from_stream(taken.limit(0))) as nothing:
                return nothing.schema, partial(from_stream, taken)
        reader = from_stream(taken)
    except Exception as error:
        # Only the type: the message may quote a value.
        raise BadFileError(f"it has no table of Arrow's ({type(error).__name__}){_culprit(taken)}") from error
    return reader.schema, lambda: reader


def _is_pandas(table: Any) -> bool:
    return hasattr(table, "iloc")


def _taken(table: Any, wanted: Wanted) -> Any:
    """Return a frame of pandas with the wanted columns alone: converting the others takes time, and may fail."""
    if not _is_pandas(table):
        return table
    names = [str(name) for name in (*table.columns, *table.index.names) if name is not None]
    if (lacks := missing_columns(wanted, names, names)) is not None:
        raise BadFileError(f"it {lacks}")
    taken = table.loc[:, [str(name) in wanted.names for name in table.columns]] if wanted.only else table
    _places(enumerate(map(str, taken.columns)))  # pandas itself says no more than that it can't be converted
    return taken


def _culprit(table: Any) -> str:
    """Say which column of a frame of pandas or Polars can't be converted."""
    import pyarrow as pa

    for name in table.columns if hasattr(table, "to_dict") else ():
        try:
            pa.RecordBatchReader.from_stream(table[[name]])
        except Exception:  # noqa: BLE001  # whatever the frame's library raises
            return f": convert its column {str(name)!r} to one type that Arrow has, such as text"
    return ""


def _count(table: Any) -> int | None:
    if _is_pandas(table):
        return len(table)
    count = getattr(table, "num_rows", getattr(table, "height", None))
    return count if isinstance(count, int) else None
