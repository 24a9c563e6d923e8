"""Those who show a delivery are told how far it is, at its start, while it runs, and at its end, and can't harm it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery import broadcast, engine
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.status import Status
from airflow_provider_userdata.delivery.supervisor import Supervisor
from airflow_provider_userdata.errors import (
    LaterError,
    OutputError,
    RefusedError,
    RejectsError,
    SourceError,
    StoppedError,
    VendorDownError,
)
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import MemoryStore

Deliver = Callable[..., Result]
MakePlan = Callable[..., Plan]
Rows = Callable[..., list[dict[str, Any]]]


class Recorder:
    """Keeps what it is told.

    :param look: called each time.
    """

    def __init__(self, look: Callable[[], object] = lambda: None) -> None:
        self.told: list[tuple[str, Status, BaseException | None]] = []
        self.seen: list[object] = []
        self.threads: set[str] = set()
        self._look = look

    def started(self, status: Status) -> None:
        """Keep it."""
        self._keep("started", status)

    def progressed(self, status: Status) -> None:
        """Keep it."""
        self._keep("progressed", status)

    def ended(self, status: Status, error: BaseException | None) -> None:
        """Keep it."""
        self._keep("ended", status, error)

    def _keep(self, what: str, status: Status, error: BaseException | None = None) -> None:
        self.told.append((what, status, error))
        self.threads.add(threading.current_thread().name)
        self.seen.append(self._look())

    @property
    def whats(self) -> list[str]:
        """What was told, in order."""
        return [what for what, _, _ in self.told]

    @property
    def first(self) -> Status:
        """The first status."""
        return self.told[0][1]

    @property
    def last(self) -> Status:
        """The last status."""
        return self.told[-1][1]


def test_a_delivery_says_when_it_starts_and_how_it_ended(deliver: Deliver, rows: Rows, sandbox: Sandbox) -> None:
    """The start comes before the first request, the end after the last; all on the one thread for Airflow."""
    recorder = Recorder(lambda: sandbox.thymia.counts.requests)

    ended = deliver("thymia", [*rows("thymia", 5), {"bad": 1}], observers=[recorder])

    assert recorder.whats == ["started", "ended"]
    assert recorder.seen == [0, 5]
    assert recorder.threads == {"userdata-airflow"}
    first, last = recorder.first, recorder.last
    assert (first.report.read, first.total, first.in_flight, first.max_in_flight) == (0, 6, 0, 16)
    assert (last.report, last.requests, last.in_flight) == (ended.report, {"2xx": 5}, 0)
    assert (last.faults, last.waiting, last.repeated) == (ended.faults, None, False)
    assert (last.rate[0], last.rate[-1][1]) == ((0.0, 0), 5)


def test_how_many_reasons_are_not_named(deliver: Deliver) -> None:
    """Five are named, with their numbers, and the others are counted."""
    shown = Recorder()
    users = [{"user_id": f"u{number}", f"attribute {number}": "x" * (130 + number)} for number in range(7)]

    deliver("ptengine", users, observers=[shown])

    assert (len(shown.last.faults), shown.last.more_faults) == (5, 2)


@pytest.mark.parametrize(
    ("script", "given", "error"),
    [
        ("401", {}, RefusedError),
        ("503 x99", {"patience": Patience(max_attempts=1)}, VendorDownError),
        ("429 retry-after=600", {"patience": Patience(longest_sleep=60.0)}, LaterError),
        ("422", {"max_rejected": 0}, RejectsError),
    ],
)
def test_the_end_is_told_with_its_error(
    script: str, given: dict[str, Any], error: type[Exception], deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """Whatever ended the delivery, once, and with the final counts."""
    sandbox.thymia.script(script)
    recorder = Recorder()

    ended = deliver("thymia", rows("thymia", 3), observers=[recorder], max_in_flight=1, **given)

    assert recorder.whats == ["started", "ended"]
    assert recorder.told[-1][2] is ended.error
    assert isinstance(ended.error, error)
    assert recorder.last.report == ended.report


def test_a_delivery_that_cannot_begin_ends_without_a_start(deliver: Deliver, rows: Rows) -> None:
    """Its end is told even so."""
    store, recorder = MemoryStore(), Recorder()

    def fail(_: object) -> None:
        raise OSError

    store.before_save = fail

    ended = deliver("thymia", rows("thymia", 3), store=store, observers=[recorder])

    assert isinstance(ended.error, OutputError)
    assert recorder.whats == ["ended"]


def test_a_source_that_breaks_is_told(deliver: Deliver) -> None:
    """A failure of the source ends the delivery like any other."""
    recorder = Recorder()

    deliver("thymia", [1, object()], observers=[recorder])
    deliver("thymia", lambda: 1, observers=[recorder])

    assert recorder.whats == ["started", "ended"] * 2
    assert isinstance(recorder.told[-1][2], SourceError)


def test_a_stopped_delivery_ends_with_the_stop(plan: MakePlan, rows: Rows, sandbox: Sandbox, tmp_path: Any) -> None:
    """The fates are in the files, and the checkpoint is saved, before anybody is told."""
    sandbox.thymia.script("ok x2", "hang x9")
    store = MemoryStore()

    def look() -> tuple[bool, int]:
        lines = [line for file in tmp_path.rglob("rejects-*") for line in file.read_text().splitlines()]
        return bool(store.load().get("ended")), len(lines)

    recorder = Recorder(look)
    delivery = Delivery(plan("thymia", rows("thymia", 9), observers=[recorder], store=store, max_in_flight=1))

    def stop() -> None:
        while sandbox.thymia.counts.records < 2 or not sandbox.thymia.counts.in_flight:
            time.sleep(0.005)
        delivery._grace = 0.0
        delivery.stop(StoppedError("told to"))

    stopper = threading.Thread(target=stop)
    stopper.start()
    delivery.run()
    stopper.join()

    assert recorder.whats == ["started", "ended"]
    assert isinstance(recorder.told[-1][2], StoppedError)
    assert recorder.seen[-1] == (True, 7)
    assert recorder.last.requests == {"2xx": 2, "none": 1}


def test_progress_is_told_while_a_delivery_runs(
    plan: MakePlan, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts rise, requests are in flight, and the time left is known with the source's size."""
    monkeypatch.setattr(engine, "PROGRESS_SECONDS", 0.01)
    sandbox.thymia.latency = 0.02
    recorder = Recorder()
    from airflow_provider_userdata.delivery.clock import Clock

    Delivery(plan("thymia", rows("thymia", 60), observers=[recorder], max_in_flight=2, clock=Clock())).run()

    told = [status for what, status, _ in recorder.told if what == "progressed"]
    delivered = [status.report.delivered for status in told]
    assert len(told) > 3
    assert delivered == sorted(delivered)
    assert 0 < delivered[len(delivered) // 2] < 60
    assert any(0 < status.in_flight <= 2 for status in told)
    assert any(status.seconds_left for status in told)
    assert all(left[1] <= right[1] for left, right in itertools.pairwise(recorder.last.rate))


def test_an_attempt_that_goes_on_starts_with_what_earlier_ones_did(
    plan: MakePlan, rows: Rows, sandbox: Sandbox
) -> None:
    """The counts, the requests by answer, and how far each earlier attempt had come; the rate is the attempt's own."""
    store, recorders = MemoryStore(max_tries=2), [Recorder(), Recorder(), Recorder()]
    for number, script in enumerate(["ok x4, 503", "ok x3, 503", "ok"]):
        sandbox.thymia.script(*script.split(", "))
        given = {"attempt": f"{number + 1}-x", "store": store, "observers": [recorders[number]]}
        patience = Patience(max_attempts=1)
        Delivery(plan("thymia", rows("thymia", 12), patience=patience, max_in_flight=1, **given)).run()

    first, last = recorders[2].first, recorders[2].last
    assert (first.report.delivered, first.requests, first.rate) == (7, {"2xx": 7, "5xx": 2}, [(0.0, 7)])
    assert [(one.number, one.delivered) for one in first.attempts] == [(1, 4), (2, 7)]
    assert all(one.ended is not None and one.ended <= first.started for one in first.attempts)
    assert (last.report.delivered, last.requests["2xx"], last.attempts) == (12, 12, first.attempts)


def test_what_only_the_files_know_is_told_apart(plan: MakePlan, rows: Rows, sandbox: Sandbox) -> None:
    """After a kill, the rejects beyond the checkpoint say what was invalid and what was refused, receipts what went."""
    store, recorder, saves = MemoryStore(), Recorder(), itertools.count()

    def first_only(_: object) -> None:
        if next(saves):
            raise OSError

    store.before_save = first_only
    sandbox.thymia.script("ok x2", "422", "503")
    records = ["bad", *rows("thymia", 5)]
    given = {"store": store, "patience": Patience(max_attempts=1), "max_in_flight": 1}
    Delivery(plan("thymia", records, **given)).run()
    store.before_save = lambda _: None

    Delivery(plan("thymia", records, attempt="2-x", observers=[recorder], **given)).run()

    first, last = recorder.first.report, recorder.last.report
    assert (first.delivered, first.invalid, first.refused) == (2, 1, 1)
    assert recorder.first.requests == {"2xx": 2}
    assert (last.delivered, last.invalid, last.refused) == (4, 1, 1)


def test_a_deferred_attempt_that_comes_back_is_not_one_before(plan: MakePlan, rows: Rows, sandbox: Sandbox) -> None:
    """Airflow's number stays the same: it is the same attempt."""
    store, recorder = MemoryStore(), Recorder()
    sandbox.thymia.script("ok", "429 retry-after=600")
    for name in ("1-a", "1-b"):
        given = {"attempt": name, "store": store, "observers": [recorder], "patience": Patience(longest_sleep=60.0)}
        Delivery(plan("thymia", rows("thymia", 3), max_in_flight=1, **given)).run()

    assert recorder.last.report.delivered == 3
    assert recorder.last.attempts == []


def test_the_number_of_earlier_attempts_is_bounded(plan: MakePlan, rows: Rows, sandbox: Sandbox) -> None:
    """The checkpoint stays small; the latest attempts are kept."""
    store, recorder = MemoryStore(), Recorder()
    for number in range(1, 26):
        sandbox.thymia.script("503")
        given = {
            "attempt": f"{number}-x",
            "store": store,
            "observers": [recorder],
            "patience": Patience(max_attempts=1),
        }
        Delivery(plan("thymia", rows("thymia", 2), max_in_flight=1, **given)).run()

    assert [one.number for one in recorder.last.attempts] == list(range(5, 25))
    assert max(map(len, store.texts)) < 4096


def test_a_run_that_was_finished_is_told_as_repeated(plan: MakePlan, rows: Rows) -> None:
    """Nothing starts; the counts are those of the attempt that finished."""
    store, recorder = MemoryStore(), Recorder()
    Delivery(plan("thymia", rows("thymia", 3), store=store)).run()

    Delivery(plan("thymia", rows("thymia", 3), store=store, attempt="2-x", observers=[recorder])).run()

    assert recorder.whats == ["ended"]
    assert (recorder.last.repeated, recorder.last.report.delivered) == (True, 3)


def test_a_delivery_that_starts_over_starts_once(plan: MakePlan, rows: Rows, sandbox: Sandbox) -> None:
    """Where the source changed and all is sent again, there is one start and one end."""
    store, recorder = MemoryStore(), Recorder()
    sandbox.ptengine.script("ok", "503")
    patience = Patience(max_attempts=1)
    Delivery(plan("ptengine", rows("ptengine", 300), store=store, patience=patience, max_in_flight=1)).run()

    given = {"attempt": "2-x", "store": store, "restart_if_changed": True, "observers": [recorder]}
    ended = Delivery(plan("ptengine", rows("ptengine", 300, 7), **given)).run()

    assert (ended.error, ended.report.delivered) == (None, 300)
    assert recorder.whats == ["started", "ended"]
    assert recorder.last.report == ended.report


@pytest.mark.parametrize(
    ("vendor", "fault", "why"),
    [
        ("thymia", "429 retry-after=600", "too_many_requests"),
        ("thymia", "503 retry-after=600", "retry_after"),
        ("gerosense", "maintenance", "maintenance"),
    ],
)
def test_a_long_wait_says_why_and_until_when(
    vendor: str, fault: str, why: str, deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """As the error does that ends the attempt."""
    if fault == "maintenance":
        sandbox.gerosense.maintenance = True
    else:
        sandbox.vendors[vendor].script(fault)
    recorder = Recorder()

    ended = deliver(vendor, rows(vendor, 5), observers=[recorder], patience=Patience(longest_sleep=60.0))

    waiting = recorder.last.waiting
    assert isinstance(ended.error, LaterError)
    assert waiting is not None
    assert waiting.why == why
    assert abs((waiting.until - ended.error.until).total_seconds()) < 1


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_an_observer_that_fails_harms_nothing(
    error: type[BaseException], deliver: Deliver, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named once, without what its error says, and the others get their turn."""

    class Failing(Recorder):
        def _keep(self, *_: object) -> None:
            raise error("geheim")

    recorder = Recorder()

    ended = deliver("thymia", rows("thymia", 3), observers=[Failing(), recorder])

    assert (ended.error, ended.report.delivered) == (None, 3)
    assert recorder.whats == ["started", "ended"]
    said = [record.message for record in caplog.records if "can't show" in record.message]
    assert said == [f"Failing can't show the upload for now: {error.__name__}"]


@pytest.mark.parametrize("what", ["started", "ended"])
def test_an_observer_that_hangs_does_not_hold_up_the_delivery_for_long(
    what: str, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at its start nor at its end, when the process may be about to be killed."""
    monkeypatch.setattr(broadcast, "LONGEST_TELLING", 0.05)
    forever = threading.Event()

    class Hanging(Recorder):
        def _keep(self, told: str, status: Status, error: BaseException | None = None) -> None:
            if told == what:
                forever.wait(20)

    started = time.monotonic()
    ended = deliver("thymia", rows("thymia", 3), observers=[Hanging()])
    forever.set()

    assert (ended.error, ended.report.delivered) == (None, 3)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("what", ["started", "progressed"])
def test_an_observer_that_hangs_holds_up_no_checkpoint(
    what: str, plan: MakePlan, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An XCom backend may hang while the store is well: the run is marked as done, and nobody takes it for dead."""
    started = time.monotonic()
    monkeypatch.setattr(broadcast, "LONGEST_TELLING", 0.05)
    monkeypatch.setattr(engine, "PROGRESS_SECONDS", 0.01)
    sandbox.thymia.latency = 0.02
    forever, store = threading.Event(), MemoryStore()

    class Hanging(Recorder):
        def _keep(self, told: str, status: Status, error: BaseException | None = None) -> None:
            if told == what:
                forever.wait(20)

    given: dict[str, Any] = {"store": store, "supervisor": Supervisor(300.0), "observers": [Hanging()]}
    try:
        ended = Delivery(plan("thymia", rows("thymia", 20), max_in_flight=1, **given)).run()
    finally:
        forever.set()

    assert (ended.error, ended.report.delivered) == (None, 20)
    assert store.is_done
    assert time.monotonic() - started < 10
