"""The files below a folder, as one look at it shows them: in an object store, a request finds a thousand of them."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_provider_userdata.delivery.recording.append_log import Folder, is_local
from airflow_provider_userdata.delivery.recording.store_path import StorePath

DEEPEST = 4
"""Folders below the one that is looked at: those of a DAG, a run, a task and a mapped instance."""
_CHANGED = ("mtime", "LastModified", "last_modified", "updated")
"""Where the clients of stores say when a file was last written."""
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file.

    :param size: in bytes.
    :param changed: when it was last written, in seconds since 1970; None if the store doesn't say.
    """

    folder: Folder
    name: str
    size: int
    changed: float | None

    @property
    def path(self) -> Folder:
        """Where it is."""
        return self.folder / self.name


def files_below(folder: Folder) -> dict[Names, list[FoundFile]]:
    """Return the files in and below a folder, by the names of the folders that lead to them, in their order. Blocks.

    :return: nothing if there is no such folder.
    :raises OSError: if it can't be read.
    """
    found: dict[Names, list[FoundFile]] = {}
    for names, file in _local(folder, ()) if is_local(folder) else _stored(folder):  # type: ignore[arg-type]
        found.setdefault(names, []).append(file)
    return dict(sorted(found.items()))


def contents(files: Sequence[FoundFile]) -> list[bytes]:
    """Return what files of a store hold, which are read at the same time. One that is gone by now holds nothing.

    :raises OSError: if one can't be read.
    """
    keys = [file.path.key for file in files]  # type: ignore[union-attr]  # of a store
    # With its size, a file takes one request; without, its client asks for the size first.
    with _told():
        fs = files[0].folder.fs  # type: ignore[union-attr]
        read = fs.cat_ranges(keys, [0] * len(files), [file.size for file in files], on_error="return")
        return [_unless_gone(one) for one in read]


def _unless_gone(read: bytes | BaseException) -> bytes:
    if isinstance(read, FileNotFoundError):
        return b""
    if isinstance(read, BaseException):
        raise read
    return bytes(read)


def _local(folder: Path, names: Names) -> Iterator[tuple[Names, FoundFile]]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if len(names) < DEEPEST:
                    yield from _local(folder / entry.name, (*names, entry.name))
                continue
            with contextlib.suppress(FileNotFoundError):  # it was removed since, or leads nowhere
                seen = entry.stat()
                yield names, FoundFile(folder, entry.name, seen.st_size, seen.st_mtime)


def _stored(folder: StorePath) -> Iterator[tuple[Names, FoundFile]]:
    folders: dict[Names, StorePath] = {(): folder}
    top = folder.key.rstrip("/") + "/"
    with _told():
        folder.fs.invalidate_cache()
        listed = folder.fs.find(folder.key, detail=True)
    for key, info in sorted(listed.items()):
        *above, name = key.removeprefix(top).split("/")
        if not key.startswith(top) or not name or len(above) > DEEPEST:
            continue
        names = tuple(above)
        if names not in folders:
            folders[names] = _below(folder, names)
        yield names, FoundFile(folders[names], name, int(info.get("size") or 0), _changed(info))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn an error of a store's client into an OSError: some have a kind of their own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(errno.EIO, f"{type(error).__name__}: is the store's connection right?") from error


def _below(folder: StorePath, names: Names) -> StorePath:
    for name in names:
        folder = folder / name
    return folder


def _changed(info: dict[str, Any]) -> float | None:
    value = next((info[key] for key in _CHANGED if info.get(key) is not None), None)
    with contextlib.suppress(ValueError):
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None
