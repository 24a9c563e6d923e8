"""Where a task's checkpoint is kept: in Airflow's task state store, or in a file beside the rejects and receipts.

The file is seen only where the attempts' files are: each attempt writes a marker into the run's folder before it does
anything else. An attempt without a marker ran on another worker with its own disk, or its files were deleted: nobody
can know what it sent.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, is_local, make_private_folder

CHECKPOINT = "checkpoint"
_MARK = ".attempt-"
_OF_ATTEMPT = re.compile(r"\.attempt-(\d+)|(?:receipts|rejects|sent)-(\d+)-.*")


def checkpoint_store(context: Any, folder: Any, *, came_back: bool = False) -> TaskStateStore | FileStore:
    """Return the store of a task's checkpoint.

    :param folder: the run's folder.
    :param came_back: whether this attempt was deferred, and may have sent something before.
    """
    ti = context["ti"]
    max_tries = int(getattr(ti, "max_tries", None) or 0)
    try:
        store = context["task_state_store"]
    except KeyError:
        store = None
    if store is None:
        return FileStore(folder, max_tries, _unseen(folder, ti.try_number, came_back=came_back))
    return TaskStateStore(store, max_tries)


class TaskStateStore:
    """Airflow's task state store, from 3.3 on: its values survive retries, crashes and clearing the task.

    :param store: the store in Airflow's context of the task.
    :param max_tries: how many attempts Airflow may make.
    """

    unseen: tuple[int, ...] = ()

    def __init__(self, store: Any, max_tries: int) -> None:
        self._store = store
        self.max_tries = max_tries

    def load(self) -> Any:
        """Return the checkpoint, or None."""
        return self._store.get(CHECKPOINT)

    def save(self, value: dict[str, Any]) -> None:
        """Save the checkpoint."""
        self._store.set(CHECKPOINT, value)


class FileStore:
    """A checkpoint file beside the rejects and receipts, for Airflow before 3.3.

    :param folder: a `pathlib.Path` or an `ObjectStoragePath`.
    :param max_tries: how many attempts Airflow may make.
    :param unseen: the numbers of earlier attempts that left no files in the folder.
    """

    def __init__(self, folder: Any, max_tries: int, unseen: tuple[int, ...] = ()) -> None:
        self._path = folder / f"{CHECKPOINT}.json"
        self._folder = folder
        self.unseen = unseen
        self.max_tries = max_tries

    def load(self) -> Any:
        """Return the checkpoint, or None if there is none.

        Of a damaged file, return the bytes: with None, the delivery would send everything again.
        """
        try:
            with self._path.open("rb") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text

    def save(self, value: dict[str, Any]) -> None:
        """Save the checkpoint."""
        text = msgspec.json.encode(value)
        if not is_local(self._path):
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("wb") as file:
                file.write(text)
            return
        make_private_folder(self._path.parent)
        part = self._path.with_name(f".{self._path.name}.part")
        part.touch(mode=PRIVATE_FILE)
        with part.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power failure could leave an empty file under the new name
        part.replace(self._path)


def _unseen(folder: Any, try_number: int, *, came_back: bool) -> tuple[int, ...]:
    """Write this attempt's marker, and return the numbers of earlier attempts that left no files here."""
    if not is_local(folder):
        return ()  # all workers see the same files
    seen = _seen(folder)
    with contextlib.suppress(OSError):  # the delivery reports a folder that can't be written, and sends nothing
        make_private_folder(folder)
        (folder / f"{_MARK}{try_number}").touch(mode=PRIVATE_FILE)
    return tuple(number for number in range(1, try_number + came_back) if number not in seen)


def _seen(folder: Path) -> set[int]:
    try:
        found = [_OF_ATTEMPT.fullmatch(path.name) for path in folder.iterdir()]
    except OSError:
        return set()
    return {int(name[1] or name[2]) for name in found if name is not None}
