"""Finds out which attempts of a task left files here: before Airflow 3.3, the checkpoint is one of these files.

Each attempt writes a marker file into the run's folder before it does anything else. An attempt without a marker ran on
another worker with its own disk, or its files were deleted: nobody can know what it sent.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, is_local, make_private_folder

_MARK = ".attempt-"
_OF_ATTEMPT = re.compile(r"\.attempt-(\d+)|(?:receipts|rejects|sent)-(\d+)-.*")


def unseen(folder: Any, try_number: int, *, came_back: bool) -> tuple[int, ...]:
    """Write this attempt's marker, and return the numbers of earlier attempts that left no files here.

    :param folder: the run's folder.
    :param came_back: whether this attempt was deferred, and may have sent something before.
    """
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
