"""Finds the files that a source names: each once, in a fixed order."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UserdataError
from airflow_provider_userdata.sources.airflow_lookups import exists, local_part, no_store, storage_path
from airflow_provider_userdata.sources.formats import FORMATS, format_of
from airflow_provider_userdata.sources.patterns import is_pattern, matches

_log = logging.getLogger(__name__)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LONGEST_PATH = 4096


def find_files(value: object, *, any_ending: bool = False) -> dict[object, Path]:
    """Return the files that a source names by their identity: in the list's order, a pattern's matches sorted by name.

    If a pattern matches several names of a file, the name that is not a link is used, or the first of these.

    :param value: a path or pattern, or a list of these.
    :param any_ending: whether names may end in anything, because the format is given.
    :raises SourceError: if a text is not a path, or a pattern matches no file.
    :raises SourceBrokeError: if looking one up fails for a reason that may pass.
    """
    if isinstance(value, (list, tuple)):
        if not any_ending:
            _check_texts(value)
    else:
        value = [value]
    found: dict[object, Path] = {}
    names: set[str] = set()
    for item in value:
        path = path_of(item)
        try:
            files = _expanded(path)
            names.update(map(str, files))
            for key, file in _by_identity(files).items():
                found.setdefault(key, file)
        except UserdataError:
            raise
        except Exception as error:
            raise SourceBrokeError(f"source: {str(path)!r} can't be looked up: {type(error).__name__}") from error
    if others := len(names) - len(found):
        _log.info("source: %d more names of its %d files are left out: each file is read once", others, len(found))
    return found


def _check_texts(values: Sequence[object]) -> None:
    """Refuse a list with texts that are not paths, without quoting them: they may be an earlier task's records."""
    for number, item in enumerate(values, start=1):
        if isinstance(item, str) and format_of(item) is None and not re.search(r"[/*?\[\\]", item):
            raise SourceError(
                f"source: text {number} of {len(values)} is not a path to a file that can be read: it ends in none "
                f"of {', '.join(FORMATS)}, or these with .gz; records are dictionaries, not texts"
            )


def path_of(item: object) -> Path:
    """Return a path from its text, or a path itself.

    :raises SourceError: if a text is not a path.
    """
    if isinstance(item, str):
        _check_text(item)
        if item.lower().startswith("file:///"):
            return Path(item[len("file://") :])  # the same as an `ObjectStoragePath`'s, without asking Airflow
        return _stored(item) if _SCHEME.match(item) else Path(item)
    if is_local(item):
        return Path(os.fsdecode(cast("os.PathLike[str]", item)))
    return local_part(cast("Path", item))


def _check_text(text: str) -> None:
    if not text.strip():
        raise SourceError("source: an empty text is not a path")
    looks_like_records = text.lstrip()[0] in "[{" and format_of(text) is None
    if looks_like_records or "\n" in text or "\0" in text or len(text) > _LONGEST_PATH:
        # Not quoted: these may be records that a template turned into text.
        raise SourceError(
            "source: a text that is not a path; pass the records of an earlier task as its output "
            "(`source=extract.output`), not as a template"
        )


def _stored(text: str) -> Path:
    try:
        path = storage_path(text)
    except (ValueError, ImportError) as error:
        raise no_store(text, error) from error
    return local_part(path)


def _expanded(path: Path) -> list[Path]:
    if not is_pattern(path):
        return [path]
    # In an object store, the first access opens the store, which may fail.
    try:
        if exists(path):
            return [path]  # a file whose own name has brackets
        found = sorted(matches(path), key=str)
    except (ValueError, ImportError) as error:
        raise no_store(str(path), error) from error
    if not found:
        raise SourceError(f"source: no file matches {str(path)!r}")
    return found


def _by_identity(files: list[Path]) -> dict[object, Path]:
    """Return each file once, sorted by the name that is used for it."""
    names: dict[object, list[Path]] = {}
    for file in files:
        names.setdefault(_identity(file), []).append(file)
    found = {key: same[0] if len(same) == 1 else min(same, key=_links_and_name) for key, same in names.items()}
    return dict(sorted(found.items(), key=lambda item: str(item[1])))


def _identity(file: Path) -> object:
    """Return a file's identity, which all its names share: device and inode, or the path in an object store."""
    with suppress(OSError):  # opening it will report the error
        if is_local(file) and (found := file.stat()).st_ino:
            return found.st_dev, found.st_ino
    return str(file)


def _links_and_name(file: Path) -> tuple[int, str]:
    return sum(part.is_symlink() for part in (file, *file.parents)) if is_local(file) else 0, str(file)
