"""A sandbox, a clock that nobody waits for, and deliveries whose accounts are checked every time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import pickle
import secrets
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.clock import Clock, unless_set
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.pytest_plugin import userdata_sandbox, userdata_sandbox_server
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import open_source
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request, Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

__all__ = ["userdata_sandbox", "userdata_sandbox_server"]

PRIVATE = "geheim"
"""Stands in every record's values, and nowhere else."""
VENDORS: dict[str, Vendor] = {"thymia": Thymia("mood"), "gerosense": GeroSense("steps"), "ptengine": Ptengine()}
FATES = ("delivered", "rejected", "held", "unchanged", "unknown", "valid")


class FakeClock(Clock):
    """A clock that jumps to the next moment that somebody waits for, once everybody else has had a turn.

    It stands still while a request is under way, or a request would take longer on it on a slower machine.
    """

    TURNS = 5

    def __init__(self) -> None:
        self._now = 1000.0
        self._date = datetime.now(UTC) - timedelta(seconds=self._now)
        self._alarms: list[tuple[float, asyncio.Future[None]]] = []
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self._requests = 0
        self._jumps_in: asyncio.AbstractEventLoop | None = None

    def seconds(self) -> float:
        """Give seconds that only run forward."""
        return self._now

    def now(self) -> datetime:
        """Give the date, as far ahead as the seconds are."""
        return self._date + timedelta(seconds=self._now)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something when the clock gets there."""
        self._planned.append((self._now + seconds, action))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Wait until the clock has jumped there, or the event is set."""
        alarm = self._now + seconds, asyncio.get_running_loop().create_future()
        self._alarms.append(alarm)
        self._jump_soon()
        try:
            await unless_set(event, alarm[1])
        finally:
            self._alarms.remove(alarm)

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Stand still."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
            self._jump_soon()

    def _jump_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._jumps_in is not loop:
            self._jumps_in = loop
            loop.call_soon(self._jump, self.TURNS)

    def _jump(self, turns: int) -> None:
        """Jump, after some more turns, and again while anybody waits."""
        if turns and self._alarms:
            asyncio.get_running_loop().call_soon(self._jump, turns - 1)
            return
        self._jumps_in = None
        if self._alarms and not self._requests:
            self._now = max(self._now, min(moment for moment, _ in self._alarms))
            self._ring()
            self._jump_soon()

    def _ring(self) -> None:
        """Wake who waited for this moment, and do what is planned for it."""
        for moment, alarm in self._alarms:
            if moment <= self._now and not alarm.done():
                alarm.set_result(None)
        due = [action for at, action in self._planned if at <= self._now]
        self._planned = [planned for planned in self._planned if planned[0] > self._now]
        for action in due:
            action()


@pytest.fixture
def sandbox(userdata_sandbox: Sandbox) -> Sandbox:
    """Give the three vendors, reset."""
    return userdata_sandbox


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Give a clock on which waiting takes no time, nor does a request."""
    clock = FakeClock()
    post, get = Transport.post, Transport.get

    async def timeless_post(transport: Transport, request: Request) -> Answer | NoAnswer:
        with clock.request():
            return await post(transport, request)

    async def timeless_get(transport: Transport, path: str) -> Answer | NoAnswer:
        with clock.request():
            return await get(transport, path)

    monkeypatch.setattr(Transport, "post", timeless_post)
    monkeypatch.setattr(Transport, "get", timeless_get)
    return clock


@pytest.fixture
def later(clock: FakeClock) -> Callable[[float, Callable[[], None]], None]:
    """Do something when the clock has advanced by some seconds: ``later(60, action)``."""
    return clock.later


@pytest.fixture(autouse=True)
def checked_together(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See that no rows had to be checked one by one for a mistake of our own: nothing but the time would show it."""
    yield
    assert not [record for record in caplog.get_records("call") if "can't be checked together" in record.message]


@pytest.fixture(autouse=True)
def nothing_private_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test in which any log line, whoever wrote it, holds something of a record (A6)."""
    with caplog.at_level(logging.DEBUG):
        yield
    for phase in ("setup", "call"):
        for record in caplog.get_records(phase):
            assert PRIVATE not in logging.Formatter().format(record)


@pytest.fixture(scope="session")
def rows() -> Callable[..., list[dict[str, Any]]]:
    """Make valid records, each one different: ``rows("gerosense", 1000)``; the second number is the first one's."""

    def sample(number: int) -> dict[str, Any]:
        minute, second = divmod(number, 60)
        start = f"2023-11-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:{second:02}.000+04:00"
        return {"device_name": f"{PRIVATE}-{number}", "start_date": start, "value": 14, "unit": "count"}

    makers: dict[str, Callable[[int], dict[str, Any]]] = {
        "gerosense": sample,
        "thymia": lambda number: {"user": {"userLabel": f"{PRIVATE}-{number}"}, "data": {"note": PRIVATE}},
        "ptengine": lambda number: {"user_id": f"{PRIVATE}-{number}", "plan": PRIVATE},
    }
    return lambda vendor, count, first=0: [makers[vendor](number) for number in range(first, first + count)]


@pytest.fixture
def plan(sandbox: Sandbox, clock: FakeClock, tmp_path: Path) -> Callable[..., Plan]:
    """Plan a delivery: ``plan("gerosense", rows, max_in_flight=1)``; a vendor's name, or a vendor."""

    def planned(vendor: str | Vendor, source: Any, **given: Any) -> Plan:
        to = VENDORS[vendor] if isinstance(vendor, str) else vendor
        key = sandbox.vendors[to.name].key
        headers = {"x-api-key": key} if to.name == "thymia" else {"Authorization": f"Bearer {key}"}
        given.setdefault("endpoint", Endpoint(sandbox.url, headers, timeout=20.0))
        given.setdefault("output", tmp_path / "run")
        given.setdefault("attempt", "1-x")
        given.setdefault("clock", clock)
        if given.get("fields") is not None:
            given["fields"] = FieldMap(given["fields"])
        return Plan(vendor=to, source=source if hasattr(source, "chunks") else open_source(source), **given)

    return planned


@pytest.fixture
def deliver(plan: Callable[..., Plan], settle: Callable[[Plan, Result], Result]) -> Callable[..., Result]:
    """Deliver, and check the accounts: ``deliver("ptengine", rows, **what_plan_takes)``."""

    def delivered(vendor: str | Vendor, source: Any, **given: Any) -> Result:
        planned = plan(vendor, source, **given)
        return settle(planned, Delivery(planned).run())

    return delivered


@pytest.fixture(scope="session")
def lines() -> Callable[[str | None], list[dict[str, Any]]]:
    """Read a file of receipts or rejects; none is empty."""
    return _lines


@pytest.fixture(scope="session")
def settle() -> Callable[[Plan, Result], Result]:
    """Check that every record read has one fate, in one file, and that nothing private gets out."""

    def settled(plan: Plan, ended: Result) -> Result:
        report = ended.report
        assert report.read == sum(getattr(report, fate) for fate in FATES)
        if not plan.validate_only:
            _check_positions(ended)
        shown = [str(ended.error), repr(ended.error), repr(plan.endpoint), ended.first_fault or "", report.summary()]
        assert not any(PRIVATE in text for text in shown)
        if ended.error is not None:
            again = pickle.loads(pickle.dumps(ended.error))
            assert (type(again), str(again)) == (type(ended.error), str(ended.error))
        return ended

    return settled


def _lines(path: str | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


def _check_positions(ended: Result) -> None:
    receipts, rejects = _lines(ended.report.receipts), _lines(ended.report.rejects)
    for line in receipts:
        assert line["count"] == sum(length for _, length in line["ranges"])
    accepted = [start + step for line in receipts for start, length in line["ranges"] for step in range(length)]
    positions = accepted + [line["position"] for line in rejects]
    assert sorted(positions) == list(range(ended.report.read))
    counted = Counter({"delivered": len(accepted)}) + Counter(line["fate"] for line in rejects)
    assert counted == {fate: count for fate in FATES if (count := getattr(ended.report, fate))}
    assert ended.report.reasons == Counter(line["rule"] for line in rejects)
    answered = Counter(line["status"] is not None for line in rejects if line["fate"] == "rejected")
    assert (ended.report.invalid, ended.report.refused) == (answered[False], answered[True])


@pytest.fixture
def unused_port() -> int:
    """Return a port that nobody listens on, below those that the system gives to others meanwhile."""
    with socket.create_server(("127.0.0.1", 20_000 + secrets.randbelow(12_000))) as server:
        return int(server.getsockname()[1])
