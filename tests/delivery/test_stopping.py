"""A delivery that is told to stop ends soon, with a fate for every record, whatever hangs."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_userdata.delivery import runner
from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading import reader
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.transport import Endpoint, Transport
from airflow_provider_userdata.errors import OutputError, SourceBrokeError, StoppedError
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
MakePlan = Callable[..., Plan]
Settle = Callable[[Plan, Result], Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]

STOP = StoppedError("told to")


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the times that a stop grants to what never ends."""
    monkeypatch.setattr(runner, "GRACE", 0.1)
    monkeypatch.setattr(reader, "LONGEST_CLOSE", 0.05)


@pytest.fixture
def long_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slow machine answer what is in flight, however long that takes."""
    monkeypatch.setattr(runner, "GRACE", 60.0)


class Hanging:
    """A source that gives a chunk, and then hangs until it is let go."""

    def __init__(self, rows: list[Any]) -> None:
        self.total = None
        self.rows = rows
        self.hangs = threading.Event()
        self.let_go = threading.Event()

    def chunks(self) -> Iterator[Chunk]:
        """Give one chunk, then nothing, for long."""
        yield Chunk(RowFormat.OBJECTS, self.rows)
        self.hangs.set()
        self.let_go.wait(30)


def in_thread(delivery: Delivery) -> tuple[threading.Thread, list[Result]]:
    """Run a delivery beside the test."""
    ended: list[Result] = []
    thread = threading.Thread(target=lambda: ended.append(delivery.run()))
    thread.start()
    return thread, ended


@pytest.mark.usefixtures("long_grace")
@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@pytest.mark.parametrize("at", [0, 1_500, 4_999])
def test_a_stop_in_the_middle_leaves_a_fate_for_every_record(
    vendor: str, at: int, plan: MakePlan, settle: Settle, rows: Rows, sandbox: Sandbox
) -> None:
    """Wherever the stop comes, what was read is delivered or held, and the rest is not read."""

    def source() -> Iterator[Any]:
        for place, row in enumerate(rows(vendor, 5_000)):
            if place == at:
                delivery.stop(STOP)
            yield row

    planned = plan(vendor, source())
    delivery = Delivery(planned)

    ended = settle(planned, delivery.run())

    assert ended.error is STOP
    assert ended.report.delivered == sandbox.vendors[vendor].counts.distinct


def test_what_came_before_a_break_is_delivered(deliver: Deliver, rows: Rows, sandbox: Sandbox) -> None:
    """Also what waits for a place when the source breaks."""
    sandbox.thymia.latency = 0.01

    def source() -> Iterator[Any]:
        yield from rows("thymia", 12)
        raise RuntimeError

    ended = deliver("thymia", source(), max_in_flight=1)

    assert isinstance(ended.error, SourceBrokeError)
    assert (ended.report.delivered, ended.report.held) == (12, 0)


@pytest.mark.parametrize("faults", ["503 x10", "cut after accepting x10", "429 x10"])
def test_what_came_before_a_break_is_tried_again(faults: str, deliver: Deliver, rows: Rows, sandbox: Sandbox) -> None:
    """A vendor that had a bad moment gets it all the same: there may be no attempt after this one."""

    def source() -> Iterator[Any]:
        yield from rows("thymia", 40)
        raise OSError("geheim")

    sandbox.thymia.script("ok x30", faults)
    ended = deliver("thymia", source())

    assert isinstance(ended.error, SourceBrokeError)
    assert (ended.report.delivered, sandbox.thymia.counts.distinct) == (40, 40)


def test_nothing_more_is_sent_where_fates_cannot_be_written(
    deliver: Deliver, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for a place is held: nobody could tell what became of it."""
    sandbox.gerosense.latency = 0.05
    read, chunks = OutcomeLog.record_read, itertools.count(1)

    def failing(fates: OutcomeLog, marks: Any, before: Any) -> None:
        if next(chunks) == 7:
            raise OutputError("the disk is full")
        read(fates, marks, before)

    monkeypatch.setattr(OutcomeLog, "record_read", failing)

    ended = deliver("gerosense", iter(rows("gerosense", 8_000)), max_in_flight=1)

    assert isinstance(ended.error, OutputError)
    assert ended.report.read == 6_000
    assert ended.report.delivered == sandbox.gerosense.counts.distinct <= 2_000


def test_a_stop_before_the_start_sends_nothing(plan: MakePlan, settle: Settle, rows: Rows, sandbox: Sandbox) -> None:
    """A delivery that was stopped before it ran ends at once, with an error."""
    planned = plan("thymia", rows("thymia", 10))
    delivery = Delivery(planned)
    delivery.stop(STOP)

    assert settle(planned, delivery.run()).error is STOP
    assert sandbox.thymia.counts.requests == 0


def test_a_stop_after_the_end_does_nothing(plan: MakePlan, rows: Rows) -> None:
    """Who stops too late, or twice, gets no error for it."""
    delivery = Delivery(plan("thymia", rows("thymia", 1)))

    ended = delivery.run()
    delivery._thread.join(60)
    delivery.stop(STOP)
    delivery.stop(STOP)

    assert ended.error is None


@pytest.mark.usefixtures("short_grace")
def test_what_is_in_flight_is_given_up_after_the_grace(
    plan: MakePlan, settle: Settle, rows: Rows, sandbox: Sandbox, lines: JsonLines
) -> None:
    """A request without an answer doesn't hold up a stop: its records are unknown, the others held (A3)."""
    sandbox.ptengine.script("hang x99")
    source = Hanging(rows("ptengine", 450))
    planned = plan("ptengine", source, max_in_flight=3)
    delivery = Delivery(planned)
    thread, ended = in_thread(delivery)
    assert source.hangs.wait(60)
    while not sandbox.ptengine.counts.in_flight:
        source.let_go.wait(0.01)

    delivery.stop(STOP)
    thread.join(60)

    source.let_go.set()
    report = settle(planned, ended[0]).report
    assert ended[0].error is STOP
    assert report.unknown == 100 * sandbox.ptengine.counts.requests
    assert report.read == report.unknown + report.held == 450
    assert {line["rule"] for line in lines(report.rejects)} == {"A3", "A5"}


@pytest.mark.usefixtures("short_grace")
def test_a_source_that_hangs_does_not_hold_up_a_stop(
    plan: MakePlan, settle: Settle, rows: Rows, sandbox: Sandbox
) -> None:
    """A read that never returns is left alone; what was read before has its fate."""
    source = Hanging(rows("thymia", 20))
    planned = plan("thymia", source)
    delivery = Delivery(planned)
    thread, ended = in_thread(delivery)
    assert source.hangs.wait(60)

    delivery.stop(STOP)
    thread.join(60)

    assert not thread.is_alive()
    assert not source.let_go.is_set()
    source.let_go.set()
    assert settle(planned, ended[0]).report.read == 20


@pytest.mark.usefixtures("short_grace")
def test_a_status_that_never_comes_does_not_hold_up_a_stop(
    plan: MakePlan, settle: Settle, rows: Rows, sandbox: Sandbox
) -> None:
    """Asking whether the vendor is in maintenance is given up at once."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nobody = Endpoint(f"http://127.0.0.1:{deaf.getsockname()[1]}", {}, timeout=60)
        planned = plan("gerosense", rows("gerosense", 5), endpoint=nobody)
        delivery = Delivery(planned)
        thread, ended = in_thread(delivery)
        deaf.accept()

        delivery.stop(STOP)
        thread.join(60)

        assert not thread.is_alive()
        assert settle(planned, ended[0]).report.requests == 0


@pytest.mark.usefixtures("short_grace")
def test_a_host_name_that_is_never_found_does_not_hold_up_a_stop(
    plan: MakePlan, settle: Settle, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up that hangs is given up, and nobody waits for its thread."""
    asked, answer = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> None:
        asked.set()
        answer.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    planned = plan("thymia", rows("thymia", 2), endpoint=Endpoint("http://nowhere.invalid", {}, timeout=60))
    delivery = Delivery(planned)
    thread, ended = in_thread(delivery)
    assert asked.wait(60)

    delivery.stop(STOP)
    thread.join(60)

    assert not thread.is_alive()
    answer.set()
    assert settle(planned, ended[0]).report.delivered == 0


@pytest.mark.usefixtures("short_grace")
def test_an_interrupted_wait_stops_the_delivery_and_goes_on_its_way(
    plan: MakePlan, rows: Rows, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A time-out that is raised while waiting is raised on, when the fates are written."""
    source = Hanging(rows("thymia", 5))
    delivery = Delivery(plan("thymia", source))

    def interrupted() -> Result:
        assert source.hangs.wait(60)
        raise TimeoutError("a time-out")

    monkeypatch.setattr(delivery._ended, "result", interrupted)
    with pytest.raises(TimeoutError, match="a time-out"):
        delivery.run()

    assert delivery._ended.done()
    source.let_go.set()


def test_a_source_that_raises_keeps_what_was_accepted(deliver: Deliver, rows: Rows, sandbox: Sandbox) -> None:
    """What came before the error is on record, and the error says where, without the record."""

    def source() -> Iterator[Any]:
        yield from rows("ptengine", 2_500)
        raise ValueError("geheim")

    ended = deliver("ptengine", source())

    assert isinstance(ended.error, SourceBrokeError)
    assert "position 2500" in str(ended.error)
    assert ended.report.read == 2_500
    assert ended.report.delivered == sandbox.ptengine.counts.records
    assert ended.report.delivered + ended.report.held == 2_500


def test_connections_are_closed_after_what_is_in_flight(
    deliver: Deliver, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that breaks while requests are under way doesn't cut them off."""
    sandbox.thymia.latency = 0.02
    open_at_close: list[int] = []
    leave = Transport.__aexit__

    async def noted(transport: Transport, *given: Any) -> None:
        open_at_close.append(sandbox.thymia.counts.in_flight)
        await leave(transport, *given)

    monkeypatch.setattr(Transport, "__aexit__", noted)

    def source() -> Iterator[Any]:
        yield from rows("thymia", 3)
        raise RuntimeError

    ended = deliver("thymia", source())

    assert open_at_close == [0]
    assert ended.report.unknown == 0
