"""A ledger that can't be used, before a run and in the middle of it: nothing is lost, and nothing is told untruly."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.incremental import change_filter, lookup_queue
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.errors import LedgerBusyError, LedgerError, StoppedError
from airflow_provider_userdata.ledger import SqlLedger, schema
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Chunks, MemoryStore

Run = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
NewLedger = Callable[..., SqlLedger]


@pytest.fixture
def file(tmp_path: Path, ledger: NewLedger) -> Path:
    """Return the file of a SQLite ledger that a run has opened before."""
    path = tmp_path / "ledger.db"
    for vendor in ("gerosense", "ptengine"):
        opened = ledger(vendor, database=f"sqlite:///{path}")
        opened.open()
        opened.close()
    return path


@pytest.fixture
def locked(file: Path) -> Iterator[Callable[[], None]]:
    """Lock the ledger, as another's long transaction does; call it to unlock."""
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield lambda: other.rollback()


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine"])
def test_a_locked_ledger(
    vendor: str, file: Path, locked: Callable[[], None], run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox
) -> None:
    """Nothing is sent, and a retry may help."""
    options = {"database": f"sqlite:///{file}", "busy_timeout": 0.05}
    ended = run(vendor, rows(vendor, 10), ledger=ledger(vendor, **options))
    assert isinstance(ended.error, LedgerBusyError)
    assert "ledger.db is locked" in str(ended.error)
    assert (ended.report.read, sandbox.vendors[vendor].counts.requests) == (0, 0)
    locked()
    assert run(vendor, rows(vendor, 10), ledger=ledger(vendor, **options)).report.delivered == 10


def test_a_read_only_ledger(file: Path, run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox) -> None:
    """Nothing is sent, and a retry can't help."""
    given = ledger("gerosense", database=f"sqlite:///file:{file}?mode=ro&uri=true")
    ended = run("gerosense", rows("gerosense", 10), ledger=given)
    assert isinstance(ended.error, LedgerError)
    assert "read-only" in str(ended.error)
    assert sandbox.gerosense.counts.requests == 0


def test_a_missing_ledger(tmp_path: Path, run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox) -> None:
    """Its folder is gone: another one isn't begun silently."""
    given = ledger("gerosense", database=f"sqlite:///{tmp_path}/gone/ledger.db")
    ended = run("gerosense", rows("gerosense", 10), ledger=given)
    assert isinstance(ended.error, LedgerError)
    assert "its folder must exist" in str(ended.error)
    assert sandbox.gerosense.counts.requests == 0


def test_a_newer_ledger(
    file: Path, run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a later version of this package: nothing is sent."""
    with monkeypatch.context() as newer:
        newer.setattr(schema.migrate, "__defaults__", ((*schema.STEPS, lambda _: None),))
        later = ledger("gerosense", database=f"sqlite:///{file}")
        later.open()
        later.close()
    ended = run("gerosense", rows("gerosense", 10), ledger=ledger("gerosense", database=f"sqlite:///{file}"))
    assert isinstance(ended.error, LedgerError)
    assert "schema version 2" in str(ended.error)
    assert sandbox.gerosense.counts.requests == 0


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine"])
def test_a_mark_beside_the_delivery_that_fails(
    vendor: str, file: Path, run: Run, rows: Rows, ledger: NewLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again: nothing is lost, and the next run sends nothing."""
    monkeypatch.setattr(change_filter, "MARKED_AT_ONCE", 10)
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.01)
    given = ledger(vendor, database=f"sqlite:///{file}")
    mark, failures, failed = given.mark_delivered, iter([LedgerBusyError("locked")] * 2), threading.Event()

    def failing(*entries: bytes) -> None:
        for failure in failures:
            raise failure
        failed.set()
        mark(*entries)

    records = rows(vendor, 3_000)

    def source() -> Iterator[dict[str, Any]]:
        yield from records[:2_000]
        assert failed.wait(30)  # or the delivery could end before it was tried again
        yield from records[2_000:]

    monkeypatch.setattr(given, "mark_delivered", failing)
    ended = run(vendor, source, ledger=given)
    assert (ended.error, ended.report.delivered) == (None, 3_000)
    again = run(vendor, records, ledger=ledger(vendor, database=f"sqlite:///{file}"))
    assert again.report.unchanged == 3_000


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine"])
def test_a_ledger_that_is_locked_in_the_middle(
    vendor: str, run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint covers nothing that isn't marked; the next attempt marks what receipts prove, and goes on."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    broken = ledger(vendor)
    calls = [0]

    def failing(*_: object) -> Any:
        calls[0] += 1
        raise LedgerBusyError("locked")

    monkeypatch.setattr(broken, "mark_delivered", failing)
    store = MemoryStore()
    records = rows(vendor, 3_000)
    first = run(vendor, records, ledger=broken, store=store, attempt="1-x")
    assert isinstance(first.error, LedgerBusyError)
    assert first.report.delivered == 3_000
    assert store.load().get("below", 0) == 0
    assert not store.load().get("beyond")
    assert calls[0] > 0

    second = run(vendor, records, store=store, attempt="2-x")
    assert (second.error, second.report.delivered, sandbox.vendors[vendor].counts.records) == (None, 3_000, 3_000)
    again = run(vendor, records, "2")
    if vendor == "gerosense":
        assert again.report.unchanged == 3_000
    else:  # of states, an earlier attempt's proof is no proof that no later one is on its way
        assert again.report.delivered == 3_000


def test_a_checkpoint_waits_for_the_marks_of_the_attempt_before(
    run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the next attempt ends before it has read anything, and the one after it."""
    records, store = rows("gerosense", 3_000), MemoryStore()
    broken = ledger("gerosense")
    monkeypatch.setattr(broken, "mark_delivered", lambda *_: (_ for _ in ()).throw(LedgerBusyError("locked")))
    run("gerosense", records, ledger=broken, store=store, attempt="1-x")
    for attempt in ("2-x", "3-x"):
        ended = run("gerosense", Broken(), store=store, attempt=attempt)
        assert ended.error is not None
    assert run("gerosense", records, store=store, attempt="4-x").report.delivered == 3_000
    assert sandbox.gerosense.counts.records == 3_000
    assert run("gerosense", records, "2").report.unchanged == 3_000


class Broken:
    """A source that can't be read for now."""

    total = None

    def chunks(self) -> Any:
        """Raise."""
        raise OSError("broken")


def test_a_source_that_changed_is_not_marked_as_what_it_was(
    run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts prove positions: where others stand now, they are sent."""
    records, store = rows("thymia", 60), MemoryStore()
    broken = ledger("thymia")
    monkeypatch.setattr(broken, "mark_delivered", lambda *_: (_ for _ in ()).throw(LedgerBusyError("locked")))
    run("thymia", records, ledger=broken, store=store, attempt="1-x")
    others = rows("thymia", 60, 1_000)
    restarted = run("thymia", Chunks(others, 10), store=store, attempt="2-x", restart_if_changed=True)
    assert (restarted.error, restarted.report.delivered) == (None, 60)
    assert sandbox.thymia.counts.distinct == 120


def test_a_forgotten_stream_ends_the_run(
    run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be marked before something is changed ends the delivery, in the middle."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    broken = ledger("thymia")
    monkeypatch.setattr(broken, "mark_delivered", lambda *_: (_ for _ in ()).throw(LedgerError("gone")))
    sandbox.thymia.latency = 0.01
    ended = run("thymia", rows("thymia", 2_000), ledger=broken, max_in_flight=1)
    assert isinstance(ended.error, LedgerError)
    assert 0 < ended.report.delivered < 2_000


@pytest.mark.alone
@pytest.mark.parametrize(
    ("held_up", "save_seconds"),
    [("open", 0.0), ("sift", 0.0), ("mark_delivered", 0.0), pytest.param("mark_delivered", 60.0, id="mark at the end")],
)
def test_a_stop_while_the_ledger_is_locked(
    held_up: str,
    save_seconds: float,
    plan: Callable[..., Plan],
    rows: Rows,
    ledger: NewLedger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ends within the seconds that a killed task has, whatever the ledger waits for."""
    given, waits, goes_on = ledger("ptengine"), threading.Event(), threading.Event()

    def hang(*_: object) -> Any:
        waits.set()
        goes_on.wait(20)
        raise LedgerBusyError("locked")

    monkeypatch.setattr(given, held_up, hang)
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", save_seconds)
    delivery = Delivery(plan("ptengine", rows("ptengine", 1_000), ledger=given))

    def stop() -> None:
        waits.wait(20)
        delivery.stop(StoppedError("killed"))

    threading.Thread(target=stop).start()
    begun = time.monotonic()
    ended = delivery.run()
    assert isinstance(ended.error, StoppedError)
    assert time.monotonic() - begun < 4.0  # a bound of the product's, far from what it takes
    goes_on.set()


def test_an_interrupted_look_up_leaves_each_record_one_fate(
    run: Run, rows: Rows, ledger: NewLedger, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the run ends during a lookup of duplicates of records in flight."""
    given = ledger("thymia")
    sift, calls = given.sift, [0]

    def failing(*keys: Any) -> list[int]:
        calls[0] += 1
        if calls[0] > 1:
            raise LedgerBusyError("locked")
        return sift(*keys)

    monkeypatch.setattr(given, "sift", failing)
    monkeypatch.setattr(lookup_queue, "LOOKED_UP_AT_ONCE", 10)
    sandbox.thymia.latency = 0.05
    ended = run("thymia", Chunks([*rows("thymia", 10), *rows("thymia", 10)], 10), ledger=given)
    assert isinstance(ended.error, LedgerBusyError)
    assert ended.report.delivered + ended.report.held == 20
    assert sandbox.thymia.counts.records == ended.report.delivered
