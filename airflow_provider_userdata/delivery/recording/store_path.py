"""A folder or file in an object store, always accessed through the client that Airflow configured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any


class StorePath:
    """The methods of a path in an object store that a delivery needs.

    In some Airflow versions, `exists`, `iterdir`, `mkdir` and `unlink` of `ObjectStoragePath` use another client,
    without the Airflow connection of the store; and the client may return a cached listing.

    :param path: an `ObjectStoragePath`.
    """

    def __init__(self, path: Any) -> None:
        self._path = path

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(self._path / name)

    def __str__(self) -> str:
        return str(self._path)

    @property
    def fs(self) -> Any:
        """The client."""
        return self._path.fs

    @property
    def key(self) -> str:
        """The path as the client has it."""
        return str(self._path.path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return str(self._path.name)

    def open(self, mode: str = "r") -> IO[Any]:
        """Open the path as a file."""
        # In Airflow 2, what the path itself opens has no lines to iterate over.
        opened: IO[Any] = self.fs.open(self.key, mode) if mode == "rb" else self._path.open(mode)
        return opened

    def stat(self) -> os.stat_result:
        """Return the size and the time of the last change."""
        found: os.stat_result = self._path.stat()
        return found

    def exists(self) -> bool:
        """Return whether the path is a file, or a folder that is not empty."""
        self.fs.invalidate_cache()
        return bool(self.fs.exists(self._path.path))

    def iterdir(self) -> Iterator[StorePath]:
        """Return the paths in the folder, never from a cache.

        :raises FileNotFoundError: if the folder doesn't exist.
        """
        self.fs.invalidate_cache()
        own = self.name
        names = [entry.rstrip("/").rpartition("/")[2] for entry in self.fs.ls(self._path.path, detail=False)]
        return iter([self / name for name in names if name not in ("", own)])

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: ARG002  # pathlib's
        """Create the folder, if the store has folders."""
        self.fs.makedirs(self._path.path, exist_ok=exist_ok)

    def unlink(self) -> None:
        """Remove the file."""
        self.fs.rm_file(self._path.path)
