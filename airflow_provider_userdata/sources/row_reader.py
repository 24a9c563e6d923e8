"""The rows of any source as dictionaries, for a DAG author's own function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_userdata.delivery.preparing import value_of
from airflow_provider_userdata.delivery.reading import Chunk, TextRecord, TextRow, Unreadable
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.opening import open_source


def read(source: object) -> Iterator[Any]:
    """Yield the rows of a source as dictionaries, which a function may change and yield as records.

    ``@task.gerosense_samples(data_type="steps")`` over ``return (fix(row) for row in read("/data/*.csv.gz"))``. A row
    of CSV or TSV keeps its file's rules as long as it stays the same dictionary: `"76"` is a number where the vendor
    wants one, and an empty optional cell is absent. What a function puts into a new dictionary is taken as it is:
    `Number` in `fields` makes numbers of its texts.

    :param source: anything that an operator's `source` may be: a path or glob, a `FileSource`, a `SqlSource`, a frame.
    :raises SourceError: if it can't be read. A row that isn't a record ends the reading, too: the message has its
        position.
    :raises SourceBrokeError: if reading fails for a reason that may pass.
    """
    position = 0
    for chunk in open_source(source).chunks():
        for place, row in enumerate(chunk.rows):
            yield _as_record(row, chunk, place, position)
            position += 1


def _as_record(row: Any, chunk: Chunk, place: int, position: int) -> Any:
    value = value_of(row, chunk.form)
    if isinstance(value, Mapping):
        return TextRecord(value) if type(row) is TextRow else value
    reason = value.reason if type(value) is Unreadable else "is not an object"
    where = f", in line {chunk.lines[place]} of {chunk.file!r}," if chunk.file is not None and chunk.lines else ""
    raise SourceError(f"source: the row at position {position}{where} {reason}")
