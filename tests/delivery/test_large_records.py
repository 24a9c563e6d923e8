"""However large records are, a bounded number of bytes is in memory, whatever vendor and source they have."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery import intake
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.transport import Transport
from airflow_provider_userdata.sources import chunking, iterables
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

Deliver = Callable[..., Result]
Measured = Callable[..., tuple[Result, float]]

MEGABYTE = 10**6
RECORD = 2 * MEGABYTE
COUNT = 40
MOST = 70
"""Megabytes: several times what large records may take as they were read, and less than all of them once."""
ANSWERS = {
    "thymia": ("/v1/user-data", b'{"uploadId": "0f8fad5b-d9cb-469f-a165-70867728950e"}'),
    "gerosense": ("/api", b""),
    "ptengine": ("/v1/user/", b'{"msg": "Success"}'),
}
FIELDS = {"ptengine": {"user_id": "user_id", "plan": "plan"}}


def large(vendor: str, number: int, size: int = RECORD) -> dict[str, Any]:
    """Make a valid record of about so many bytes."""
    ballast = f"{number:08}" * (size // 8)
    if vendor == "thymia":
        return {"user": {"userLabel": f"u{number}"}, "data": {"audio": ballast}}
    if vendor == "gerosense":
        start = f"2024-05-01T08:{number // 60:02}:{number % 60:02}Z"
        return {"device_name": ballast, "start_date": start, "unit": "count", "value": 1}
    return {"user_id": f"u{number}", "plan": "free", "picture": ballast}


class Wire:
    """Answers every request, after others had their turn; and knows how many bytes were on the wire at once."""

    def __init__(self) -> None:
        self.bytes = self.most = self.requests = 0

    async def post(self, request: Request) -> Answer:
        """Answer that all was accepted."""
        self.requests += 1
        self.bytes += request.size
        self.most = max(self.most, self.bytes)
        for _ in range(50):
            await asyncio.sleep(0)
        self.bytes -= request.size
        return Answer(200, {}, next(answer for path, answer in ANSWERS.values() if request.path.startswith(path)))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Take requests without keeping them, as a sandbox does."""
    wire = Wire()
    monkeypatch.setattr(Transport, "post", lambda _, request: wire.post(request))
    return wire


@pytest.fixture
def measured(
    plan: Callable[..., Plan], settle: Callable[[Plan, Result], Result], monkeypatch: pytest.MonkeyPatch
) -> Measured:
    """Deliver, and give the megabytes that were in memory at once: with bounds of a fourth, to be quick."""
    monkeypatch.setattr(intake, "MOST_BYTES", intake.MOST_BYTES // 4)
    monkeypatch.setattr(chunking, "MOST_BYTES", chunking.MOST_BYTES // 4)
    for module in (iterables, chunking):
        monkeypatch.setattr(module, "AT_ONCE", 5)

    def run(vendor: str, source: Any, **given: Any) -> tuple[Result, float]:
        planned = plan(vendor, source, fields=FIELDS.get(vendor), **given)
        tracemalloc.start()
        try:
            ended = Delivery(planned).run()
            most = tracemalloc.get_traced_memory()[1] / MEGABYTE
        finally:
            tracemalloc.stop()
        return settle(planned, ended), most

    return run


def source_of(kind: str, vendor: str, folder: Path) -> Any:
    """Make a source of large records."""
    records = (large(vendor, number) for number in range(COUNT))
    if kind == "generator":
        return records
    if kind == "list":
        return list(records)
    if kind == "small ones first":
        return (large(vendor, number, 80 if number < COUNT // 4 else RECORD) for number in range(COUNT))
    if kind == "array":
        path = folder / "records.json"
        path.write_text(json.dumps(list(records)))
        return str(path)
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


@pytest.mark.parametrize("vendor", ANSWERS)
@pytest.mark.parametrize("kind", ["generator", "list", "small ones first", "jsonl", "array"])
def test_memory_is_bounded(vendor: str, kind: str, measured: Measured, wire: Wire, tmp_path: Path) -> None:
    """Of 80 MB, some are in memory at once: what is read ahead, waits for company, and is on the wire."""
    source = source_of(kind, vendor, tmp_path)

    ended, most = measured(vendor, source)

    assert ended.error is None
    assert (ended.report.delivered, ended.report.unknown) == (COUNT, 0)
    assert most < MOST
    assert wire.requests <= COUNT


@pytest.mark.parametrize("kind", ["generator", "jsonl"])
def test_large_rejects_are_written_as_they_come(kind: str, measured: Measured, wire: Wire, tmp_path: Path) -> None:
    """What is refused isn't gathered either, and is kept whole."""
    source = source_of(kind, "gerosense", tmp_path)

    ended, most = measured("ptengine", source)

    assert (ended.report.rejected, wire.requests) == (COUNT, 0)
    assert most < MOST
    assert ended.report.rejects is not None
    assert Path(ended.report.rejects).stat().st_size > COUNT * RECORD


def test_some_large_records_are_on_the_wire_at_once(measured: Measured, wire: Wire) -> None:
    """As many as the bound allows: large records don't go one by one."""
    measured("thymia", (large("thymia", number, RECORD // 4) for number in range(COUNT)), max_in_flight=8)

    assert wire.most > 3 * RECORD / 4


def test_usual_records_know_no_bound(deliver: Deliver, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their number, records that aren't large are never waited for, and no request carries fewer."""
    monkeypatch.setattr(intake, "MOST_BYTES", 1)
    samples = [large("gerosense", number % 3600, 8) for number in range(5_003)]

    ended = deliver("gerosense", samples)

    assert (ended.report.delivered, wire.requests) == (5_003, 6)


def test_a_record_that_is_larger_than_the_bound_goes_alone(
    deliver: Deliver, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for those before it, and nobody else waits for ever."""
    monkeypatch.setattr(intake, "MOST_BYTES", RECORD // 2)
    monkeypatch.setattr(chunking, "MOST_BYTES", RECORD // 2)

    ended = deliver("thymia", (large("thymia", number) for number in range(5)))

    assert (ended.error, ended.report.delivered) == (None, 5)
    assert wire.most < 2 * RECORD


def test_the_last_large_samples_share_no_request(deliver: Deliver, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the source ends, as few go together as a request takes (G3), and none is left over."""
    monkeypatch.setattr(intake, "MOST_BYTES", RECORD // 2)
    monkeypatch.setattr(chunking, "MOST_BYTES", RECORD // 2)

    ended = deliver("gerosense", (large("gerosense", number) for number in range(9)))

    assert (ended.error, ended.report.delivered, wire.requests) == (None, 9, 3)
    assert wire.most < 4 * RECORD


def test_a_halted_delivery_waits_for_no_room(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that refuses everything ends a run of large records as any other."""
    monkeypatch.setattr(intake, "MOST_BYTES", 3 * RECORD)
    monkeypatch.setattr(Transport, "post", refused)

    ended = deliver("thymia", (large("thymia", number) for number in range(20)))

    assert type(ended.error).__name__ == "RefusedError"
    assert ended.report.delivered == 0


async def refused(_transport: Transport, _request: Request) -> Answer:
    """Answer that the key is wrong."""
    await asyncio.sleep(0)
    return Answer(401, {}, b"")
