"""Keeps samples that are too few to be sent, for the task's next run (G4)."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_provider_userdata.delivery.journal import PRIVATE_FILE, is_local, make_private_folder
from airflow_provider_userdata.errors import OutputError

LONGEST_RUN = 80
_CLAIMED = ".claimed-by-"
_IDENTITY = ".identity"


class HeldFolder:
    """The folder where a task's held records lie, whatever run left them. All methods block.

    A file is claimed by renaming it, so that two runs never carry the same records in, and removed only when the
    fates of its records are written. A file that an earlier attempt of this same run left is superseded: this
    attempt reads those records from the source again.

    :param folder: a `pathlib.Path` or an `ObjectStoragePath`.
    :param kind: what the records are, such as `steps`: only records of one kind may share a request.
    :param account: the fingerprint of where they go: a vendor's account may be one person's (G14).
    :param run: the Airflow run.
    :param index: which of a run's mapped tasks this is, or an empty text.
    """

    def __init__(self, folder: Any, kind: str, account: str, run: str, index: str = "") -> None:
        self._folder = folder
        self._stream = f"{quote(kind, safe='')}-{account}"
        self._whole_run = _file_name(run)
        self._run = f"{self._whole_run}@{index}" if index else self._whole_run
        self._claimed: list[Any] = []
        self.has_claimed = False
        """Whether earlier runs had left anything."""

    @property
    def path(self) -> str:
        """Where the folder is."""
        return str(self._folder)

    def identity(self) -> str | None:
        """Give the name that tells this folder from one with the same path on another machine, if it has one."""
        try:
            with (self._folder / _IDENTITY).open("rb") as file:
                return str(file.read().decode())
        except OSError:
            return None

    def count(self) -> int:
        """Count the records that wait for the next run."""
        return self._count(self._is_waiting)

    def count_others(self) -> int:
        """Count the records that wait, but were held for another account, or are of another kind."""
        return self._count(lambda name: name.endswith(".jsonl") and name[0] != "." and not self._is_waiting(name))

    def claim(self, *, resuming: bool = False) -> list[bytes]:
        """Take what earlier runs left, oldest first, as the bodies of records.

        :param resuming: whether to take only what an attempt before this one had taken, so that positions stay.
        """
        try:
            return self._claim(resuming=resuming)
        except OSError as error:
            with contextlib.suppress(OutputError):
                self.settle(read=False, ended=False)
            self._claimed = []  # never to be removed: nobody has read them
            raise self._unusable(error) from error

    def keep(self, bodies: Sequence[bytes], *, carried_in: bool) -> None:
        """Keep records for the next run.

        :param carried_in: whether they came from an earlier run: a retry won't find them in its source again.
        """
        if not bodies:
            return
        origin = "carried" if carried_in else f"run-{self._run}"
        by_whom = hashlib.blake2b(self._run.encode(), digest_size=16).hexdigest()  # who repeats it writes it anew
        path = self._folder / f"{self._stream}-{origin}-{by_whom}.jsonl"
        text = b"".join(body + b"\n" for body in bodies)
        try:
            self._write(path, text)
            if self.identity() is None:
                self._write(self._folder / _IDENTITY, uuid.uuid4().hex.encode())
        except OSError as error:
            raise self._unusable(error) from error

    def settle(self, *, read: bool, ended: bool) -> None:
        """End the claims: remove the files whose records have a fate by now, give the others back.

        :param read: whether the records that were carried in have been read, and so have a fate.
        :param ended: whether the source was read to its end, so that what this run held before is superseded.
        """
        try:
            for path in self._claimed:
                if ended if self._is_own(path.name) else read:
                    path.unlink()
                else:
                    path.rename(self._folder / path.name.partition(_CLAIMED)[0])
        except OSError as error:
            raise self._unusable(error) from error
        self._claimed = []

    def settle_all(self) -> None:
        """Remove what an attempt of this run had claimed, which crashed between the run's end and its own."""
        try:
            if self._folder.exists():
                self._claimed = [path for path in self._folder.iterdir() if self._is_claim(path.name)]
            self.settle(read=True, ended=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _is_claim(self, name: str) -> bool:
        return name.startswith(f"{self._stream}-") and name.endswith(f"{_CLAIMED}{self._run}")

    def _count(self, counts: Callable[[str], bool]) -> int:
        if not self._folder.exists():
            return 0
        count = 0
        for path in self._folder.iterdir():
            if counts(path.name):
                with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # another run was faster
                    count += len(file.read().splitlines())
        return count

    def _is_waiting(self, name: str) -> bool:
        return name.startswith(f"{self._stream}-") and _CLAIMED not in name

    def _is_own(self, name: str) -> bool:
        return self._origin(name) == f"{self._stream}-run-{self._run}"

    def _origin(self, name: str) -> str:
        return name.partition(_CLAIMED)[0].rpartition("-")[0]

    def _is_of_this_run(self, name: str) -> bool:
        """Say whether another of this run's mapped tasks left a file: cleared, it would read those records again."""
        of = self._origin(name)
        return of == f"{self._stream}-run-{self._whole_run}" or of.startswith(f"{self._stream}-run-{self._whole_run}@")

    def _claim(self, *, resuming: bool) -> list[bytes]:
        if not self._folder.exists():
            return []
        bodies: list[bytes] = []
        for path in self._oldest_first():
            name, _, owner = path.name.partition(_CLAIMED)
            if not name.startswith(f"{self._stream}-") or owner not in ("", self._run):
                continue
            if not owner and not self._is_own(name) and (resuming or self._is_of_this_run(name)):
                continue
            claimed = self._claim_file(path, name, owner)
            if claimed is not None and not self._is_own(name):
                with claimed.open("rb") as file:
                    bodies.extend(file.read().splitlines())
        return bodies

    def _oldest_first(self) -> list[Any]:
        aged: list[tuple[float, str, Any]] = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another run was faster
                aged.append((path.stat().st_mtime, path.name, path))
        return [path for _, _, path in sorted(aged, key=lambda one: one[:2])]

    def _claim_file(self, path: Any, name: str, owner: str) -> Any | None:
        claimed = path
        if not owner:
            claimed = self._folder / f"{name}{_CLAIMED}{self._run}"
            try:
                path.rename(claimed)
            except FileNotFoundError:
                return None  # another run was faster
        self._claimed.append(claimed)
        self.has_claimed = True
        return claimed

    def _write(self, path: Any, text: bytes) -> None:
        if is_local(path):
            self._write_whole(path, text)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(text)

    def _write_whole(self, path: Path, text: bytes) -> None:
        """Write a file so that a run that claims it meanwhile finds all of it."""
        make_private_folder(path.parent)
        part = path.with_name(f".{path.name}.part")
        part.touch(mode=PRIVATE_FILE)
        part.write_bytes(text)
        part.rename(path)

    def _unusable(self, error: OSError) -> OutputError:
        reason = error.strerror or type(error).__name__
        return OutputError(f"output_path: the folder of held records, {self._folder}, can't be used: {reason}")


def _file_name(run: str) -> str:
    """Write a run's name so that it can stand twice in a file's name, which has 255 bytes."""
    name = quote(run, safe="")
    if len(name) <= LONGEST_RUN:
        return name
    return f"{name[: LONGEST_RUN // 2]}~{hashlib.blake2b(run.encode(), digest_size=16).hexdigest()}"
