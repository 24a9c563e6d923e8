"""Lets a completed run go on whose source was corrected: only what was rejected or held is sent."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any

from airflow_provider_userdata.delivery.recording import (
    Folder,
    is_local,
    number_of,
    reached,
    read_marks,
    read_originals,
)
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, Completed
from airflow_provider_userdata.delivery.resuming.doubt import Doubt
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.delivery.resuming.last_fates import LastFate, last_fates
from airflow_provider_userdata.delivery.resuming.recovery import Recovery
from airflow_provider_userdata.delivery.resuming.soundness import damaged
from airflow_provider_userdata.errors import ResumeError
from airflow_provider_userdata.vendors import HELD_TOO_LONG


def correction(completed: Completed, folder: Folder, *, with_held: bool) -> Recovery:
    """Return where a completed run goes on: at all records that were rejected, or held. Blocks.

    What was held for too long stays rejected: nothing in the source could change that. So does what was erased: nobody
    knows any more what it was, and its row must be as it was.

    :param folder: of the run's fates, as this worker sees it.
    :param with_held: whether the records that the run held are still there, so that no other run sends them.
    :raises ResumeError: if the run's files can't be read here, or don't say what the marker does.
    """
    attempts = attempts_of_completed(completed)
    _check_here(completed, folder)
    found = last_fates(folder, attempts)
    sent = _sent_again(found, folder)
    stay = [position for position, line in found.items() if _stays(line) and position not in sent]
    again = {
        position: line
        for position, line in found.items()
        if (line.fate is Fate.REJECTED and position not in sent and not _stays(line))
        or (line.fate is Fate.HELD and with_held and position >= completed.carried_in and not line.erased)
    }
    originals = read_originals(folder, attempts)
    lacking = [position for position in (*again, *sent) if position not in originals]
    if lacking or any(position not in originals for position in range(completed.carried_in)):
        raise damaged("the originals of rejected records", "some are missing")
    counted, rejected = completed.done[Fate.REJECTED], sum(line.fate is Fate.REJECTED for line in again.values())
    uncounted = counted - rejected - len(stay)  # of those that were sent again; others, an earlier attempt has counted
    if not 0 <= uncounted <= len(sent):
        raise damaged("rejects", f"{rejected + len(sent)} records are rejected there, and {counted} in the report")
    before = {*again, *sent, *range(completed.carried_in)}
    settled = IntervalSet([(0, completed.rows)])
    settled.discard_all([(position, 1) for position in sorted(again)])
    return Recovery(
        checkpoint=_checkpoint(completed, attempts[-1]),
        settled=settled,
        in_doubt=Doubt(),
        tally=_tally(completed, again, dict(list(sent.items())[len(sent) - uncounted :]), found),
        not_delivered=_counts(again, completed.done.get("refused", 0)),
        originals={place: row for place in before if (row := originals[place]).is_kept},
        erased=sum(not row.is_kept for row in originals.values()),
    )


def _stays(line: LastFate) -> bool:
    """Return whether a record stays rejected."""
    return line.fate is Fate.REJECTED and (line.rule == HELD_TOO_LONG or line.erased)


def attempts_of_completed(completed: Completed) -> list[str]:
    """Return the names of the run's attempts in their order, which a store may have lost."""
    names = [name.removeprefix("rejects-") for name in completed.journals if name.startswith("rejects-")]
    return sorted(names, key=number_of)


def _check_here(completed: Completed, folder: Folder) -> None:
    """Check that the run's files are here. Workers that share a folder have names of their own."""
    if completed.folder == str(folder) and (not is_local(folder) or completed.host == socket.gethostname()):
        return
    if not is_local(folder) or any(reached(folder, name) < until for name, until in completed.journals.items()):
        raise ResumeError(
            f"output_path: what the run rejected stands in {completed.folder} on {completed.host}, which "
            f"{socket.gethostname()} can't read; let all workers share output_path, clear the task where the folder "
            "is, or send all again with resume=False"
        )


def _sent_again(found: Mapping[int, LastFate], folder: Folder) -> dict[int, Fate]:
    """Return what became of rejected records that a replay sent."""
    marks = read_marks(folder)
    fates = {position: marks.get(line.file, {}).get(line.line) for position, line in found.items()}
    return {
        position: fate
        for position, fate in sorted(fates.items())
        if fate is not None and found[position].fate is Fate.REJECTED
    }


def _checkpoint(completed: Completed, attempt: str) -> Checkpoint:
    """Return the checkpoint that such a run would have had at its end."""
    return Checkpoint(
        attempt=attempt,
        host=completed.host,
        folder=completed.folder,
        journals=completed.journals,
        read=completed.rows,
        read_digest=completed.digest,
        carried_in=completed.carried_in,
    )


def _counts(lines: Mapping[int, LastFate], refused: int) -> dict[str, Any]:
    """Return the counts of records that were not delivered.

    :param refused: how many of the run's records were, at most.
    """
    fates = Counter(line.fate for line in lines.values())
    return {
        "fates": {fate.value: count for fate, count in fates.items()},
        "reasons": dict(Counter(line.rule for line in lines.values())),
        "refused": min(refused, fates[Fate.REJECTED]),
    }


def _tally(
    completed: Completed, again: Mapping[int, LastFate], sent: Mapping[int, Fate], found: Mapping[int, LastFate]
) -> dict[str, Any]:
    """Return the counts of a completed run without the records that are to be sent now.

    :param sent: rejected records that a replay has sent since, which count as what became of them there.
    """
    done = completed.done
    fates = Counter({fate.value: done[fate] for fate in Fate})
    fates.subtract(Counter(line.fate.value for line in again.values()))
    reasons = Counter(done["reasons"])
    reasons.subtract(Counter(line.rule for line in again.values()))
    fates.subtract(Counter(found[position].fate.value for position in sent))
    fates.update(Counter(fate.value for fate in sent.values()))
    reasons.subtract(Counter(found[position].rule for position, fate in sent.items() if fate is Fate.DELIVERED))
    sums = {name: done[name] for name in ("resent", "requests", "retries", "bytes", "seconds")}
    return {"fates": dict(+fates), "reasons": dict(+reasons), "refused": 0, "answers": completed.answers, **sums}
