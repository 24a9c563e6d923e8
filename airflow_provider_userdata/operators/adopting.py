"""Enters what a finished run delivered into the ledger, so that `incremental=True` can be switched on later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.delivery.adopting import PastRun, Standing, proofs_of, read_again
from airflow_provider_userdata.delivery.incremental import identify
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.resuming import Completed, decoded, destination, flaw
from airflow_provider_userdata.errors import ResumeError, SourceError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import AdoptingLedger, Collected, Stream
from airflow_provider_userdata.operators import output_paths, past_runs
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.operators.ledger_settings import adopting_ledger
from airflow_provider_userdata.operators.planning import bound, stream_of
from airflow_provider_userdata.sources import RejectsSource, Surroundings, open_source, unhold
from airflow_provider_userdata.vendors import LedgerMode

_PROVEN = (Standing.DELIVERED, Standing.TWICE)
Shown = Callable[[int], object]
"""Is told how many more records are read, or entered."""


@dataclass(frozen=True)
class Adoptable:
    """A finished run whose deliveries can be entered, if its source is unchanged.

    :param stream: where the task would look them up with `incremental=True`.
    :param instance: the run's instance of the task.
    """

    run: PastRun
    stream: Stream
    instance: Any

    @property
    def keeps_states(self) -> bool:
        """Whether an entry is a user's last state, not a record."""
        return self.run.vendor.kept is LedgerMode.STATES


@dataclass(frozen=True)
class Counted:
    """What was found of a run.

    :param delivered: records that are proven to be delivered.
    :param unproven: records that may have been delivered: they are sent again.
    :param corrected: records that a replay delivered, corrected in a way that nobody knows here.
    """

    delivered: int = 0
    unproven: int = 0
    corrected: int = 0

    def __add__(self, other: Counted) -> Counted:
        return Counted(
            self.delivered + other.delivered, self.unproven + other.unproven, self.corrected + other.corrected
        )


def adoptable(task: Any, run_id: str, map_index: int = -1) -> Adoptable:
    """Find a finished run of a task, and what its files prove.

    :param task: as its DAG has it.
    :param map_index: of a mapped task, the instance; else -1.
    :raises UserdataError: if the task or the run can't be used, or nothing proves what it delivered.
    """
    own, context = past_runs.task_in_run(task, run_id, map_index)
    instance = context["ti"]
    root = output_paths.output_root(own.output_path)
    folder = output_paths.run_folder(root, instance)
    completed = _finished(past_runs.left_by(instance, folder), run_id)
    vendor, fields = own._vendor(), own._field_map()
    stream = stream_of(own, vendor, own._hook().endpoint())
    _check_destination(own, completed, stream)
    if isinstance(unhold(own.source), RejectsSource):
        raise SourceError("source: the run sent rejects of another run again: adopt that run")
    columns = own._required_fields() if fields is None else fields.columns
    source = open_source(
        bound(own.source, context), columns=columns, only=fields is not None, of=Surroundings(Replay("", ""), root)
    )
    return Adoptable(PastRun(vendor, fields, source, completed, proofs_of(completed, folder)), stream, instance)


def collect(
    found: Adoptable, fingerprints: Fingerprints, into: Collected, shown: Shown, *, concurrent: bool = False
) -> Counted:
    """Read a run's source again, and collect what was delivered.

    :param fingerprints: make the ledger's keys.
    :param concurrent: whether other instances of the task ran at the same time: nobody knows in which order two of them
        sent a user.
    :raises SourceError: if the source is not what the run read, or can't be read. Then nothing of it is proven.
    """
    run, states, today = found.run, found.keeps_states, datetime.now(UTC).date()
    counts: Counter[str] = Counter()
    before = 0
    for standing, day, records, read, unfit in read_again(run):
        shown(read - before)
        before = read
        counts["corrected"] += unfit
        proven = standing in _PROVEN or (standing is Standing.REPLAYED and not states)
        counts["delivered" if proven else "unproven"] += len(records)
        if records and (proven or states):
            keys, contents, _ = identify(fingerprints, run.vendor, records)
            in_doubt = concurrent or standing is not Standing.DELIVERED
            into.add(keys, contents, day or today, proven=proven, in_doubt=in_doubt)
    if states and counts["corrected"]:
        raise ResumeError(
            f"a replay has delivered {counts['corrected']:,} of the run's records, corrected: what the vendor has of "
            "those users isn't known here. Switch incremental on without this: the first run sends everything once"
        )
    return Counted(counts["delivered"], counts["unproven"], counts["corrected"])


def enter(found: Adoptable, collected: Collected, ledger: AdoptingLedger, shown: Shown) -> int:
    """Enter what was collected, and return how many entries the ledger didn't have, or only older ones. Blocks.

    After a kill, call it again: what is there already stays as it is.

    :raises LedgerError: if the ledger can't be used.
    :raises LedgerBusyError: if it is locked, can't be reached, or a run is using the stream.
    """
    changed = 0
    ledger.open()
    try:
        for entries in collected.steps(keyed=found.keeps_states):
            changed += ledger.enter(entries)
            shown(len(entries))
    finally:
        ledger.close()
    return changed


def ledger_of(found: Adoptable) -> AdoptingLedger:
    """Return the ledger that the task would use. It isn't opened yet."""
    instance = found.instance
    name = f"adopt/{instance.dag_id}/{instance.run_id}/{instance.task_id}"
    return adopting_ledger(found.stream, keyed=found.keeps_states, run=name)


def _check_destination(task: DeliveryOperator, completed: Completed, stream: Stream) -> None:
    """Check that the run sent to the account that the stream stands for."""
    given = stream.vendor, stream.address, task._stored_kind(), stream.user
    named, plain = destination(*given, stream.name), destination(*given, "")
    if completed.address == named.address and completed.account == named.account:
        return
    if completed.address != plain.address:
        raise ResumeError(
            "the run sent its records to another address than the task's connection has now, or records of another "
            "kind: nothing of it belongs into this stream"
        )
    if completed.account != plain.account and not stream.name:
        raise ResumeError(
            "the run sent its records with another key than the connection has now, and a key stands for an account. "
            "If both are of one account, give the task a ledger_stream, which stands for that"
        )


def _finished(value: Any, run_id: str) -> Completed:
    """Return the marker of a finished run."""
    left = decoded(value)
    if left is None:
        raise ResumeError(
            f"nothing is left that shows what run {run_id} read: Airflow has removed it (it keeps it for 30 days, by "
            "default), or the run was removed. The first run with incremental=True sends its records again"
        )
    if not isinstance(left, Completed):
        raise ResumeError(f"run {run_id} is not finished: clear its task, so that it goes on, and then adopt it")
    if (reason := flaw(left)) is not None or not left.digest:
        raise ResumeError(f"what run {run_id} left doesn't hold together: {reason or 'an earlier version wrote it'}")
    return left
