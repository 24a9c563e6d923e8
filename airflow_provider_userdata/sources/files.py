"""Files as a source: all are checked before the first one is read, then they are read one after the other."""

from __future__ import annotations

import errno
import gzip
import logging
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, cast

from airflow_provider_userdata.delivery.reading import Chunk
from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.airflow_lookups import is_folder, no_store
from airflow_provider_userdata.sources.chunking import LazySource
from airflow_provider_userdata.sources.file_limits import BadFileError, EmptyFileError, is_compressed, unpacked
from airflow_provider_userdata.sources.file_source import FileSource
from airflow_provider_userdata.sources.formats import FORMATS, Format, format_by
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.paths import find_files
from airflow_provider_userdata.sources.sniffing import beginning_of, check_packed, check_text
from airflow_provider_userdata.sources.text_stream import TextStream, is_utf_8

_log = logging.getLogger(__name__)


class File(NamedTuple):
    """A file that was checked.

    :param rows: how many it has; None if that isn't known before reading.
    """

    path: Path
    form: Format
    rows: int | None


def open_files(value: FileSource, wanted: Wanted, seen: set[object]) -> LazySource:
    """Find the files that a source names, and check that each can be read. Empty files are left out, unless all are.

    :param value: paths and patterns, and how the files are written.
    :param wanted: which of a table's columns are taken.
    :param seen: the identities of files that other sources read, which are left out; those of this one's are added.
    :raises SourceError: if one can't be read, there is none, or all are empty.
    :raises SourceBrokeError: if opening one fails for a reason that may pass.
    """
    value.check(frozenset(ending[1:] for ending in FORMATS))
    files: dict[object, File] = {}
    empty: list[SourceError] = []
    for identity, path in find_files(value.path, any_ending=value.format is not None).items():
        found = _checked(path, value, wanted)
        if isinstance(found, SourceError):
            empty.append(found)
        else:
            files[identity, value.records] = found
    if empty and not files:
        raise empty[0]
    if empty:
        _log.warning("%d of %d files have no records: %s", len(empty), len(empty) + len(files), empty[0])
    new = {identity: file for identity, file in files.items() if identity not in seen}
    if others := len(files) - len(new):
        _log.info("source: %d files are left out because another source reads them too", others)
    seen.update(new)
    counts = [file.rows for file in new.values() if file.rows is not None]
    total = sum(counts) if len(counts) == len(new) else None
    return LazySource(partial(_read, list(new.values()), value, wanted), total, len(new))


def _read(files: list[File], options: FileSource, wanted: Wanted) -> Iterator[Chunk]:
    """Yield the rows of files, in order; positions continue from file to file."""
    position = 0
    for path, form, _ in files:
        try:
            with closing(path.open("rb")) as raw:
                for chunk in form.read(_content(raw, path, options), wanted):
                    yield replace(chunk, file=str(path))
                    position += len(chunk.rows)
        except UserdataError:
            raise
        except Exception as error:
            place = f"source: {str(path)!r}, at position {position}"
            if (fault := _fault(error, path)) is not None:
                raise SourceError(f"{place}: {fault}") from None
            raise SourceBrokeError(f"{place}: reading failed with {type(error).__name__}") from error


def _checked(path: Path, options: FileSource, wanted: Wanted) -> File | SourceError:
    """Return a file; for an empty file, the error to raise if all files are empty."""
    place = f"source: {str(path)!r}"
    try:
        form = _format(path, options)
        with closing(path.open("rb")) as raw:
            if is_compressed(path):
                check_packed(beginning_of(raw))
            if form.is_text:
                check_text(beginning_of(unpacked(raw, path)), unpacked=is_compressed(path), encoding=options.encoding)
            return File(path, form, form.check(_content(raw, path, options), wanted))
    except UserdataError:
        raise
    except EmptyFileError as error:
        return SourceError(f"{place}: {error}")
    except Exception as error:
        if not is_local(path) and isinstance(error, (ValueError, ImportError)):
            raise no_store(str(path), error) from error
        if (fault := _fault(error, path) or _fault_of_place(error, path)) is not None:
            raise SourceError(f"{place}: {fault}") from None
        raise SourceBrokeError(f"{place} can't be opened: {type(error).__name__}") from error


def _content(raw: IO[bytes], path: Path, options: FileSource) -> IO[bytes]:
    """Return a file's text in UTF-8, from its first line or the one that is asked for."""
    stream = unpacked(raw, path)
    if is_utf_8(options.encoding) and not options.skip_lines:
        return stream
    return cast("IO[bytes]", TextStream(stream, options.encoding, options.skip_lines))


def _format(path: Path, options: FileSource) -> Format:
    form = format_by(options, path.name)
    # Only if the check is cheap: in an object store, opening fails for a folder.
    if (form is None or is_local(path)) and is_folder(path):
        raise IsADirectoryError
    if form is None:
        raise BadFileError(
            f"its name ends in none of {', '.join(FORMATS)}, or these with .gz; name its format, as in "
            "FileSource(path, format='csv')"
        )
    if is_compressed(path) and not form.is_text:
        raise BadFileError("a Parquet file is compressed within, and isn't read through gzip; decompress it first")
    if is_local(path) and path.exists() and not path.is_file():
        raise BadFileError("it is not a regular file")  # a pipe would wait for its writer
    return form


def _fault(error: Exception, path: Path) -> str | None:
    """Return what is wrong with the file itself; None if another attempt may succeed."""
    if isinstance(error, BadFileError):
        return str(error)
    if is_compressed(path) and isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
        return "the compressed file ends early or is damaged"
    return None


def _fault_of_place(error: Exception, path: Path) -> str | None:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, IsADirectoryError) or (isinstance(error, FileNotFoundError) and is_folder(path)):
        ending = next((ending for ending in FORMATS if path.name.lower().endswith(ending)), ".jsonl")
        return f"it is a folder; name its files, as in '{str(path).rstrip('/')}/*{ending}'"
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return "there is no such file"
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "it is a link that points to itself"
    return None
