"""Parquet files: read in record batches, of the wanted columns only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.sources.arrow import Columns, chunks_of_batch, columns_of, need_pyarrow, rows_at_once
from airflow_provider_userdata.sources.file_limits import BadFileError, EmptyFileError
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.sniffing import beginning_of, check_text

_BEGINS, _ENCRYPTED = b"PAR1", b"PARE"
_BUFFER = 2**20
"""Bytes per read of a column: without a limit, or with `pre_buffer`, a whole row group would be in memory."""


def check_parquet(stream: IO[bytes], wanted: Wanted) -> int:
    """Check that a file is Parquet, and has the wanted columns; return the number of its rows.

    :param stream: the file, at its beginning.
    :param wanted: which columns are taken.
    :raises BadFileError: if it isn't, or hasn't.
    """
    _check_beginning(beginning_of(stream))
    with _opened(stream) as file:
        columns_of(file.schema_arrow, wanted)
        return int(file.metadata.num_rows)


def read_parquet(stream: IO[bytes], wanted: Wanted) -> Iterator[Chunk]:
    """Yield the rows as `TableRows`.

    :param stream: the file.
    :param wanted: which columns are taken; the others aren't read.
    :raises BadFileError: if the file is damaged; rows before the fault are yielded first.
    """
    with _opened(stream) as file:
        schema = file.schema_arrow
        header = columns_of(schema, wanted).header
        batches = file.iter_batches(
            batch_size=_rows_at_once(file.metadata),
            columns=list(header.names) if wanted.only else None,
            use_threads=False,  # the delivery needs the other cores
        )
        count = 0
        for batch in batches:
            places = [batch.schema.names.index(name) for name in header.names]
            for chunk in chunks_of_batch(batch, Columns(header, places)):
                before, count = count, count + len(chunk.rows)
                yield replace(chunk, lines=range(before + 1, count + 1))


def _check_beginning(head: bytes) -> None:
    if not head:
        raise EmptyFileError("it is empty")
    if head.startswith(_ENCRYPTED):
        raise BadFileError("it is an encrypted Parquet file; decrypt it first")
    if not head.startswith(_BEGINS):
        check_text(head)
        raise BadFileError("it isn't a Parquet file")


@contextmanager
def _opened(stream: IO[bytes]) -> Iterator[Any]:
    need_pyarrow("Parquet")
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(
            stream, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True
        ) as file:
            yield file
    except pa.ArrowNotImplementedError:
        raise BadFileError("it is written in a way that this version of pyarrow doesn't read") from None
    except pa.ArrowInvalid:
        raise BadFileError("it isn't a whole Parquet file: it is damaged, or its end is missing") from None
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:
            raise  # the place where it is, not the file itself
        raise BadFileError("it is damaged") from None


def _rows_at_once(metadata: Any) -> int:
    """Return how many rows to read at a time, by the size of the rows in the row group with the largest ones."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return min((rows_at_once(group.total_byte_size, group.num_rows) for group in groups if group.num_rows), default=1)
