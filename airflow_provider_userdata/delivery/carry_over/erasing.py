"""Takes a user's records out of a file of held records, so that no run sends them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from airflow_provider_userdata.delivery.carry_over.claims import SILENCE, Claimant, Claims, FileClaim
from airflow_provider_userdata.delivery.carry_over.held_files import HeldFiles, is_part
from airflow_provider_userdata.delivery.carry_over.held_lines import HeldRecord
from airflow_provider_userdata.delivery.carry_over.taken_over import TakenOver

ERASER = "userdata erase"
"""Claims a file in place of a run."""


def erase_held(
    folder: Any,
    name: str,
    is_users: Callable[[bytes], bool],
    is_over: Callable[[str, str], bool],
    run_folder: Callable[[str, str], Any],
) -> int | None:
    """Take a user's records out of a file. It is claimed meanwhile, as a run does: a run that comes leaves it alone.

    A file that a run has claimed stays as it is, unless that run is over and has sent nothing of it. One that a crash
    cut short is removed: no run reads it. Blocks.

    :param is_users: returns whether a record is the user's.
    :param is_over: returns whether a run is over, by its name and map index.
    :param run_folder: the folder of a run's fates, by its name and map index.
    :return: how many records were taken out; None if a run has the file.
    :raises OSError: if the folder can't be used.
    """
    if is_part(name):
        return _remove_part(folder, name)
    claims = Claims(folder)
    earlier = claims.listed().get(name, [])
    if any(not _is_gone(claim.by, is_over) for claim in earlier[-1:]):
        return None
    number = earlier[-1].number + 1 if earlier else 1
    if not claims.take(name, number, Claimant(ERASER, "")):
        return None
    files = HeldFiles(folder)
    records = _records(files, name)
    if not _nothing_sent(records, earlier, run_folder):
        claims.drop(name, [number])
        return None
    left = [record for record in records if not is_users(record.body)]
    if left and len(left) < len(records):
        files.write(name, left)
    elif not left:
        files.remove(name)
    claims.drop(name, [*(claim.number for claim in earlier), number])
    return len(records) - len(left)


def release_killed(folder: Any) -> None:
    """End the claims that a call made which was killed, so that runs take the files. Blocks.

    :raises OSError: if the folder can't be used.
    """
    claims = Claims(folder)
    for name, made in claims.listed().items():
        by = made[-1].by
        if by is not None and by.run == ERASER and by.silence > SILENCE:
            claims.drop(name, [claim.number for claim in made if claim.by is not None and claim.by.run == ERASER])


def _remove_part(folder: Any, name: str) -> int | None:
    """Remove a file, unless it may be being written."""
    files = HeldFiles(folder)
    if time.time() - (folder / name).stat().st_mtime < SILENCE:
        return None
    count = len(_records(files, name))
    files.remove(name)
    return count


def _is_gone(by: Claimant | None, is_over: Callable[[str, str], bool]) -> bool:
    """Return whether nobody goes on with a claim."""
    if by is None or by.silence <= SILENCE:
        return False
    return by.run == ERASER or is_over(by.run, by.index)


def _records(files: HeldFiles, name: str) -> list[HeldRecord]:
    with contextlib.suppress(FileNotFoundError):
        return files.read(name)
    return []


def _nothing_sent(
    records: list[HeldRecord], earlier: Sequence[FileClaim], run_folder: Callable[[str, str], Any]
) -> bool:
    """Return whether no run that had claimed a file has sent anything of it: then its lines are free to move.

    A run that takes the file over finds out by the lines' numbers what was sent.
    """
    by = [claim.by for claim in earlier if claim.by is None or claim.by.run != ERASER]
    if any(one is None or not run_folder(one.run, one.index).exists() for one in by):
        return False
    left, doubtful = TakenOver(run_folder).left_of(records, by)
    return len(left) == len(records) and not doubtful
