"""A folder or file in an object store, always reached by the client that Airflow has for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any


class StorePath:
    """What a delivery needs of a path in an object store.

    A path's own `exists`, `iterdir`, `mkdir` and `unlink` go by another client in some Airflows, without the connection
    that Airflow has for the store; and a listing may be an old one that the client remembers.

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
    def name(self) -> str:
        """The last part of the path."""
        return str(self._path.name)

    @property
    def parent(self) -> StorePath:
        """The folder above."""
        return StorePath(self._path.parent)

    def open(self, mode: str = "r") -> IO[Any]:
        """Open the path as a file."""
        opened: IO[Any] = self._path.open(mode)
        return opened

    def stat(self) -> os.stat_result:
        """Tell the size and the time of the last change."""
        found: os.stat_result = self._path.stat()
        return found

    def exists(self) -> bool:
        """Say whether there is such a file, or a folder with something in it."""
        self.fs.invalidate_cache()
        return bool(self.fs.exists(self._path.path))

    def iterdir(self) -> Iterator[StorePath]:
        """Return the paths in the folder, as they are now.

        :raises FileNotFoundError: if nothing is there.
        """
        self.fs.invalidate_cache()
        own = self.name
        names = [entry.rstrip("/").rpartition("/")[2] for entry in self.fs.ls(self._path.path, detail=False)]
        return iter([self / name for name in names if name not in ("", own)])

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:  # noqa: ARG002  # pathlib's
        """Make the folder, where the store has folders."""
        self.fs.makedirs(self._path.path, exist_ok=exist_ok)

    def unlink(self) -> None:
        """Remove the file."""
        self.fs.rm_file(self._path.path)
