"""One attempt of a delivery, in a process that may be killed: ``python killed_delivery.py '{"vendor": ...}'``.

Its settings are an object: `vendor`, `url`, `key`, `source` (a file), `folder`, `attempt`, `max_in_flight`,
`save_seconds`, `objects` (whether the folder stands for an object store), `s3` (what the folder's file system has to
know, where it is one), `on_doubt`, `login` (where many users' samples go to the direct API), `die` (where it kills
itself, and at which call: see `DEATHS`), `supervised` (whether it stops when its parent is gone), `ledger` (its
database's URL), `run` (its name, for the ledger and for a replay), `max_tries`, `max_rejected`, `rejects` (a folder,
whose rejects are corrected and sent again in place of the source). It says ``started`` before its delivery runs, and
prints how it ended.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from fsspec.implementations.local import LocalFileSystem

from airflow_provider_userdata.delivery.closing import Closing
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording.append_log import AppendLog, LocalLog
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.resuming import StoreWriter, checkpoint_writer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending import few_records
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.delivery.supervisor import Supervisor
from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.operators.task_state import FileStore
from airflow_provider_userdata.sources import RejectsSource, Surroundings, open_source
from airflow_provider_userdata.vendors.contract import LedgerMode, Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import UserColumns
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

VENDORS: dict[str, Callable[[], Vendor]] = {
    "thymia": lambda: Thymia("mood"),
    "gerosense": lambda: GeroSense("steps"),
    "ptengine": Ptengine,
}


class Objects:
    """A folder of an object store: no `pathlib.Path`, and an object is there whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Objects:
        return Objects(self.path / name)

    def __str__(self) -> str:
        return f"s3://bucket{self.path}"

    @property
    def fs(self) -> LocalFileSystem:
        """Give the client."""
        return LocalFileSystem()

    @property
    def key(self) -> str:
        """Give the path as the client has it."""
        return str(self.path)

    @property
    def name(self) -> str:
        """Give the last part of the path."""
        return self.path.name

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the folder."""
        self.path.mkdir(mode, parents, exist_ok)

    @contextlib.contextmanager
    def open(self, mode: str = "r") -> Iterator[IO[Any]]:
        """Open an object; what is written shows when it is closed."""
        if mode == "rb":
            with self.path.open("rb") as file:
                yield file
            return
        part = self.path.with_name(f".{self.path.name}")
        with part.open(mode) as file:
            yield file
        part.replace(self.path)

    def exists(self) -> bool:
        """Say whether there is such an object."""
        return self.path.exists()

    def iterdir(self) -> Iterator[Objects]:
        """Give the objects below."""
        return map(Objects, self.path.iterdir())

    def stat(self) -> os.stat_result:
        """Tell the object's size."""
        return self.path.stat()

    def unlink(self) -> None:
        """Remove the object."""
        self.path.unlink()


def die(*_: object, **__: object) -> Any:
    """Go, as a process does that is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(number: int, owner: Any, name: str, last: Callable[..., Any]) -> None:
    """Let one of the calls of a function do something else."""
    function = getattr(owner, name)
    left = [number]

    def called(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        return (last if left[0] == 0 else function)(*given, **named)

    setattr(owner, name, called)


def torn(journal: LocalLog, line: bytes) -> None:
    """Write half a line."""
    if journal._file is None:
        journal.create()
    assert journal._file is not None
    os.write(journal._file, line[: len(line) // 2])
    die()


def at_line_of(kind: str, number: int, last: Callable[[LocalLog, bytes], None]) -> None:
    """Let one of the lines of a kind of file end otherwise."""
    append = LocalLog.append
    left = [number]

    def appended(journal: LocalLog, line: bytes) -> None:
        left[0] -= journal._path.name.startswith(kind)
        (last if left[0] == 0 else append)(journal, line)

    setattr(LocalLog, "append", appended)  # noqa: B010  # a method isn't assigned to


def after_half_of_a_save(number: int) -> None:
    """Write half of a checkpoint's file."""

    def half(path: Path, mode: str = "r", *_: object) -> Any:
        if not path.name.endswith(".part"):
            return opened(path, mode)
        left[0] -= 1
        if left[0]:
            return opened(path, mode)
        with opened(path, mode) as file:
            file.write(b'{"attempt": "')
        return die()

    opened, left = Path.open, [number]
    setattr(Path, "open", half)  # noqa: B010


DEATHS: dict[str, Callable[[int], None]] = {
    "in the middle of a mark": lambda number: at_line_of("replayed", number, torn),
    "before a receipt": lambda number: at_line_of("receipts", number, die),
    "in the middle of a receipt": lambda number: at_line_of("receipts", number, torn),
    "in the middle of a reject": lambda number: at_line_of("rejects", number, torn),
    "in the middle of what is about to be sent": lambda number: at_line_of("sent", number, torn),
    "between a fate and its count": lambda number: at_call(number, OutcomeLog, "record_delivered", _fate_then_die),
    "between fates and checkpoint": lambda number: at_call(number, FileStore, "save", die),
    "before the fates are brought to the disk": lambda number: at_call(number, AttemptFiles, "flush", die),
    "in the middle of a checkpoint": after_half_of_a_save,
    "before the marks": lambda number: at_call(number, SqlLedger, "mark_delivered", die),
    "after the marks": lambda number: at_call(number, StoreWriter, "save", die),
    "before the done marker": lambda number: at_call(number, Closing, "mark_completed", die),
    "after the done marker": lambda number: at_call(number, AttemptFiles, "remove_unneeded", die),
}


def right(record: Any) -> Any:
    """Correct a record that a test has wrapped."""
    return record["right"]


def _fate_then_die(fates: OutcomeLog, *given: Any, **named: Any) -> None:
    receipts: AppendLog = fates.files.receipts
    append = receipts.append

    def appended(line: bytes) -> None:
        append(line)
        die()

    setattr(receipts, "append", appended)  # noqa: B010
    fates.record_delivered(*given, **named)


def _ledger(settings: dict[str, Any], vendor: Vendor) -> SqlLedger:
    states = vendor.kept is LedgerMode.STATES
    return SqlLedger(
        settings["ledger"], Stream(vendor.name), keyed=states, run=settings["run"], secret=b"a secret of the tests' own"
    )


def main(settings: dict[str, Any], say: Callable[[Any], object]) -> None:
    """Run the attempt."""
    checkpoint_writer.SAVE_SECONDS = settings["save_seconds"]
    few_records.MOST_RECORDS = settings.get("few_in_memory", few_records.MOST_RECORDS)
    if settings.get("die"):
        where, number = settings["die"]
        DEATHS[where](number)
    vendor, login = VENDORS[settings["vendor"]](), settings.get("login")
    if login:
        vendor = GeroSenseDirect(GeroSense("steps"), UserColumns("who"))
    key = settings["key"]
    folder = Path(settings["folder"])
    output: Any = Objects(folder) if settings.get("objects") else folder
    if settings.get("s3"):
        from upath import UPath

        output = UPath(settings["folder"], **settings["s3"])
    source: Any = Path(settings["source"])
    replay = Replay(settings.get("run", ""), settings["attempt"], settings["folder"])
    if settings.get("rejects"):
        source = RejectsSource(settings["rejects"], fix=right)
    plan = Plan(
        vendor=vendor,
        endpoint=Endpoint(settings["url"], {}, login=(login, key))
        if login
        else Endpoint(settings["url"], {"x-api-key": key, "Authorization": f"Bearer {key}"}),
        source=open_source(source, of=Surroundings(replay)),
        replay=replay or None,
        output=output,
        attempt=settings["attempt"],
        max_in_flight=settings["max_in_flight"],
        ledger=_ledger(settings, vendor) if settings.get("ledger") else None,
        store=FileStore(output, settings.get("max_tries", 0)),
        max_rejected=settings.get("max_rejected", math.inf),
        more_attempts=True,
        patience=Patience(on_doubt=settings.get("on_doubt", "resend")),
        supervisor=Supervisor(math.inf) if settings.get("supervised") else None,
    )
    say("started")
    ended = Delivery(plan).run()
    error = None if ended.error is None else f"{type(ended.error).__name__}: {ended.error}"
    say({"error": error, "report": ended.report.as_dict(), "repeated": ended.repeated})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), functools.partial(print, flush=True))
