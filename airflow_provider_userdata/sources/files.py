"""Files as a source: all are checked before the first is read, then read one after the other."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from airflow_provider_userdata.delivery.chunks import Chunk
from airflow_provider_userdata.delivery.journal import is_local
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.formats import FORMATS, Format, format_of
from airflow_provider_userdata.sources.paths import find_files
from airflow_provider_userdata.sources.streams import BadFileError, is_compressed, opened


class FilesSource:
    """The records of some files, in order; positions run on from file to file.

    :param files: the files, each with its format.
    """

    __slots__ = ("_files",)

    def __init__(self, files: list[tuple[Path, Format]]) -> None:
        self._files = files

    @property
    def total(self) -> int | None:
        """Unknown: files don't say how many records they hold."""
        return None

    def chunks(self) -> Iterator[Chunk]:
        """Read the files."""
        position = 0
        for path, form in self._files:
            try:
                with opened(path) as stream:
                    for chunk in form.read(stream):
                        yield chunk
                        position += len(chunk.rows)
            except UserdataError:
                raise
            except Exception as error:
                place = f"source: {str(path)!r}, at position {position}"
                if (fault := _fault(error, path)) is not None:
                    raise SourceError(f"{place}: {fault}") from None
                raise SourceBrokeError(f"{place}: reading failed with {type(error).__name__}") from error


def open_files(value: object, columns: Collection[str] = ()) -> FilesSource:
    """Find the files that a source names and see that each can be read.

    :param value: a path or pattern, or a list of these.
    :param columns: what a table's header must name.
    """
    return FilesSource([(path, _checked(path, columns)) for path in find_files(value)])


def _checked(path: Path, columns: Collection[str]) -> Format:
    place = f"source: {str(path)!r}"
    try:
        form = _format(path)
        with opened(path) as stream:
            _check_columns(form.look(stream), columns)
    except UserdataError:
        raise
    except Exception as error:
        fault = _fault(error, path) or _fault_of_place(error, path)
        if fault is not None:
            raise SourceError(f"{place}: {fault}") from None
        raise SourceBrokeError(f"{place} can't be opened: {type(error).__name__}") from error
    return form


def _format(path: Path) -> Format:
    form = format_of(path.name)
    # Only where asking is cheap; an object store tells by opening.
    if (form is None or is_local(path)) and path.is_dir():
        raise IsADirectoryError
    if form is None:
        raise BadFileError(f"its name ends in none of {', '.join(FORMATS)}, or these with .gz")
    if is_local(path) and path.exists() and not path.is_file():
        raise BadFileError("it is no regular file")  # a pipe would wait for its writer
    return form


def _check_columns(header: Collection[str] | None, columns: Collection[str]) -> None:
    missing = [column for column in columns if header is not None and column not in header]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise BadFileError(f"its header lacks the {noun} {', '.join(map(repr, missing))}")


def _fault(error: Exception, path: Path) -> str | None:
    """Say what is wrong with the file itself; nothing where another attempt may do better."""
    if isinstance(error, BadFileError):
        return str(error)
    if is_compressed(path) and isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
        return "the compressed file ends early or is damaged"
    return None


def _fault_of_place(error: Exception, path: Path) -> str | None:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, IsADirectoryError) or (isinstance(error, FileNotFoundError) and path.is_dir()):
        return f"it is a folder; name its files, as in '{str(path).rstrip('/')}/*.jsonl'"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "there is no such file"
    return None
