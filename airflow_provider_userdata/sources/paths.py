"""From what a source names to the files that are meant: existing, readable, in a fixed order."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from airflow_provider_userdata.delivery.journal import is_local
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.formats import FORMATS, format_of
from airflow_provider_userdata.sources.locations import storage_path

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MAGIC = re.compile(r"[*?\[]")
_LONGEST_PATH = 4096


def find_files(value: object) -> list[Path]:
    """Find the files that a source names, each once: what stands first comes first, a pattern's matches in order.

    :param value: a path or pattern, or a list of these.
    """
    named = value if isinstance(value, (list, tuple)) else [value]
    _check_texts(value)
    found: dict[str, Path] = {}
    for item in named:
        path = _path(item)
        try:
            for file in _expanded(path):
                found.setdefault(str(file), file)
        except UserdataError:
            raise
        except Exception as error:
            raise SourceBrokeError(f"source: {str(path)!r} can't be looked up: {type(error).__name__}") from error
    return list(found.values())


def _check_texts(value: object) -> None:
    """Refuse a list with texts that are no paths, without quoting them: an earlier task's may be anything."""
    if isinstance(value, (list, tuple)):
        for number, item in enumerate(value, start=1):
            if isinstance(item, str) and format_of(item) is None and not re.search(r"[/*?\[\\]", item):
                raise SourceError(
                    f"source: text {number} of {len(value)} is no path to a file that can be read: it ends in none of "
                    f"{', '.join(FORMATS)}, or these with .gz; records are dictionaries, not texts"
                )


def _path(item: object) -> Path:
    if isinstance(item, str):
        _check_text(item)
        return _stored(item) if _SCHEME.match(item) else Path(item)
    if is_local(item):
        return Path(os.fsdecode(cast("os.PathLike[str]", item)))
    return cast("Path", item)


def _check_text(text: str) -> None:
    if not text.strip():
        raise SourceError("source: an empty text names no file")
    looks_like_records = text.lstrip()[0] in "[{" and format_of(text) is None
    if looks_like_records or "\n" in text or "\0" in text or len(text) > _LONGEST_PATH:
        # Not quoted: these may be records that a template made text of.
        raise SourceError(
            "source: text that is no path; records of an earlier task are given as its output "
            "(`source=extract.output`), not as a template"
        )


def _stored(text: str) -> Path:
    try:
        return storage_path(text)
    except (ValueError, ImportError) as error:
        raise _no_store(text, error) from error


def _expanded(path: Path) -> list[Path]:
    if not _MAGIC.search(str(path)):
        return [path]
    # Deep in a path of an object store: the first look opens the store.
    try:
        if path.exists():
            return [path]  # a file whose own name has brackets
        found = sorted(_matches(path), key=str)
    except (ValueError, ImportError) as error:
        raise _no_store(str(path), error) from error
    if not found:
        raise SourceError(f"source: no file matches {str(path)!r}")
    return found


def _matches(pattern: Path) -> Iterator[Path]:
    # A folder that is named like a file is kept, to be refused: its records would be missed in silence.
    for path in _local_matches(pattern) if is_local(pattern) else _stored_matches(pattern):
        if format_of(path.name) is not None or not path.is_dir():
            yield path


def _local_matches(pattern: Path) -> Iterator[Path]:
    # Unlike `Path.glob`, this passes over hidden files, and `**` at the end means files too.
    return map(Path, glob.iglob(str(pattern), recursive=True))  # noqa: PTH207


def _stored_matches(pattern: Path) -> Iterator[Path]:
    base = next(parent for parent in pattern.parents if not _MAGIC.search(str(parent)))
    below = str(pattern).removeprefix(str(base)).lstrip("/")
    for path in base.glob(below):
        parts = str(path).removeprefix(str(base)).split("/")
        if not any(part.startswith(".") for part in parts):
            yield path


def _no_store(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"source: {name!r} can't be opened: {type(error).__name__}; is the provider of its file system installed?"
    )
