"""Loads what earlier attempts left, and decides whether this one goes on from it."""

from __future__ import annotations

import logging
import socket

from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording import number_of
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.resuming import Checkpoint, Completed, Recovery, damaged, decoded, flaw, recover
from airflow_provider_userdata.errors import OutputError, ResumeError, SourceChangedError
from airflow_provider_userdata.upload_status import MOST_ATTEMPTS, EarlierAttempt

_CHECKPOINT = "the checkpoint of an attempt before this one doesn't hold together"
_log = logging.getLogger(__name__)


def last_left(plan: Plan) -> Checkpoint | Completed | None:
    """Return what the last attempt left; None if there is nothing, or if the task was cleared to start over. Blocks.

    :raises OutputError: if it can't be loaded.
    :raises ResumeError: if it can't be read.
    """
    store = plan.store
    if store is None or not plan.resume or plan.starts_over:
        return None
    try:
        value = store.load()
    except Exception as error:
        raise OutputError(f"the checkpoint can't be loaded: {type(error).__name__}. Nothing was sent") from error
    earlier = decoded(value)
    if value is not None and earlier is None:
        raise damaged(_CHECKPOINT, "it can't be read by this version")
    if earlier is not None and (reason := flaw(earlier)) is not None:
        raise damaged(_CHECKPOINT, reason)
    if isinstance(earlier, Completed) and not earlier.red and earlier.max_tries != store.max_tries:
        again = "what the ledger doesn't have is sent" if plan.ledger is not None else "all records are sent again"
        _log.info("The run was finished, and somebody cleared the task: %s", again)
        return None
    return earlier


def may_be_corrected(plan: Plan, completed: Completed) -> bool:
    """Return whether a completed run goes on: it was red for its rejects, and somebody cleared the task since."""
    store = plan.store
    cleared = store is not None and completed.max_tries != store.max_tries
    return cleared and completed.red and bool(completed.digest)


def recovered(plan: Plan, earlier: Checkpoint) -> Recovery | None:
    """Find out where to go on; None to start over, because the earlier attempt was for another destination. Blocks."""
    found = recover(earlier, plan.output, must_know=plan.patience.on_doubt == "hold")
    return found if is_of_this_destination(plan, earlier, sent=found.any_sent) else None


def is_of_this_destination(plan: Plan, earlier: Checkpoint | Completed, *, sent: bool) -> bool:
    """Return whether what an attempt left is for the same destination.

    :param sent: whether it delivered any record, or may have.
    :raises SourceChangedError: if it did, to another address or as another kind of records.
    """
    here = plan.destination
    if earlier.address not in ("", here.address):
        if sent and plan.ledger is None and not plan.restart_if_changed:
            raise SourceChangedError(
                "the attempt before sent records to another address, or as another kind of records: what it "
                "delivered isn't here. Send all again, with resume=False, or go back to where it sent them"
            )
        _log.warning(
            "The attempt before was to send to another address, or another kind of records: this one starts over"
        )
        return False
    if sent and earlier.account not in ("", here.account):
        _log.warning(
            "The connection's key is not that of the attempt before. What that delivered isn't sent again, which "
            "is right where both are of one account; where they aren't, send all again, with resume=False"
        )
    return True


def before(attempt: str, found: Recovery) -> list[EarlierAttempt]:
    """Return the attempts before one that goes on, the last one included, for display.

    :param attempt: the name of the one that goes on, which begins with Airflow's number of it. An attempt that was
        deferred comes back under the same number.
    """
    last = found.checkpoint
    delivered = found.tally["fates"].get(Fate.DELIVERED, 0)
    earlier = [*last.attempts, EarlierAttempt(number_of(last.attempt), delivered, last.at)]
    by_number = {one.number: one for one in earlier if 0 < one.number < number_of(attempt)}
    return list(by_number.values())[-MOST_ATTEMPTS:]


def any_unseen(plan: Plan) -> bool:
    """Return whether an earlier attempt left nothing here, so that it may have sent any record.

    :raises ResumeError: if it did, and nothing may be sent twice.
    """
    numbers = plan.unseen_attempts
    if not numbers or plan.store is None or not plan.resume or plan.starts_over:
        return False
    names = f"attempt{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
    nothing = f"{names} left nothing in {plan.output} on {socket.gethostname()}"
    if plan.patience.on_doubt == "hold":
        raise ResumeError(
            f'output_path: {nothing}, and on_doubt="hold" allows no guess at what was sent; let all workers share '
            "output_path, or start over with resume=False"
        )
    _log.warning(
        "output_path: %s, where the checkpoint is before Airflow 3.3. What was sent on another worker, or before "
        "the files were removed, is sent again: what goes out now counts as resent. Let all workers share "
        "output_path",
        nothing,
    )
    return True
