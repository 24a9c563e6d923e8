"""A fourth vendor is one file: this one, declared here, is delivered to like the other three."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from aiohttp import web

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Meaning, shared_meaning
from airflow_provider_userdata.vendors.contract import BatchLimits, Request, Vendor
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """A number of steps that somebody walked."""

    who: str
    steps: int


@dataclass(frozen=True, slots=True)
class Pedometer(Vendor):
    """A vendor that takes up to four records a request, and answers with a receipt's number."""

    name: ClassVar[str] = "pedometer"
    limits: ClassVar[BatchLimits] = BatchLimits(maximum=4)
    json_rule: ClassVar[str] = "S1"
    suspect_rule: ClassVar[str] = "S4"
    known_fields: ClassVar[frozenset[str]] = frozenset({"who", "steps"})

    def prepare_json(self, text: bytes) -> Record | Invalid:
        """Check a JSON text."""
        try:
            return Record(msgspec.json.encode(msgspec.json.decode(text, type=Step)))
        except (msgspec.DecodeError, ValueError):  # one and the same from msgspec 0.21 on
            return Invalid((Fault("S2", (), "is not a step"),))

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check a Python value."""
        try:
            return Record(msgspec.json.encode(msgspec.convert(value, Step)))
        except (msgspec.DecodeError, ValueError):  # one and the same from msgspec 0.21 on
            return Invalid((Fault("S2", (), "is not a step"),))

    def request(self, records: Sequence[Record]) -> Request:
        """Join records to a list."""
        return Request("/walked", (b"[%b]" % b",".join(record.body for record in records),))

    def meaning(self, answer: Answer) -> Meaning:
        """Take a 201 for acceptance."""
        return Accepted() if answer.status == 201 else shared_meaning(answer, refusal_rule="S3")

    def receipt(self, records: Sequence[Record], answer: Answer) -> dict[str, str]:
        """Give the receipt's number."""
        return {"number": answer.text()}


class Double:
    """The vendor's side, which refuses requests with a walker called Nobody, and is down the first time."""

    def __init__(self) -> None:
        self.url = ""
        self.tries = 0
        self.accepted: list[list[dict[str, Any]]] = []
        self.keys: set[str | None] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Answer a request."""
        self.tries += 1
        self.keys.add(request.headers.get("x-key"))
        if self.tries == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        steps = await request.json()
        if any(step["who"] == "Nobody" for step in steps):
            return web.Response(status=400, text="who is Nobody?")
        self.accepted.append(steps)
        return web.Response(status=201, text=str(len(self.accepted)))


@pytest.fixture
def double() -> Iterator[Double]:
    """Run the vendor's side in a thread of its own, on a free port of this machine."""
    double, loop, ready = Double(), asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/walked", double.take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        double.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def serve() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(5)
    yield double
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@dataclass
class Rows:
    """A source of rows in one form."""

    form: RowFormat
    rows: list[Any]

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows, three at a time."""
        for start in range(0, len(self.rows), 3):
            yield Chunk(self.form, self.rows[start : start + 3])


@pytest.fixture
def deliver(double: Double, tmp_path: Path) -> Callable[[RowFormat, list[Any]], Result]:
    """Deliver rows to the pedometer: ``deliver(Form.OBJECTS, rows)``."""

    def run(form: RowFormat, rows: list[Any]) -> Result:
        folder: Any = tmp_path
        endpoint = Endpoint(double.url, {"x-key": "secret"}, timeout=5)
        return Delivery(Plan(Pedometer(), endpoint, Rows(form, rows), folder, attempt="1", max_in_flight=1)).run()

    return run


Deliver = Callable[[RowFormat, list[Any]], Result]


def lines(path: str | None) -> list[Mapping[str, Any]]:
    """Read a file of fates."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()] if path else []


@pytest.mark.parametrize("form", [RowFormat.OBJECTS, RowFormat.JSON])
def test_a_vendor_of_one_file_is_delivered_to(double: Double, deliver: Deliver, form: RowFormat) -> None:
    """Checking, batching, retries, receipts and counts come with the delivery, none of them written for this vendor."""
    steps = [{"who": f"walker {number}", "steps": number} for number in range(10)]
    rows = [json.dumps(step).encode() for step in steps] if form is RowFormat.JSON else steps

    ended = deliver(form, [*rows[:5], b'{"who": 5}' if form is RowFormat.JSON else {"who": 5}, *rows[5:]])

    assert ended.error is None
    assert [step for batch in double.accepted for step in batch] == steps
    assert [len(batch) for batch in double.accepted] == [4, 4, 2]
    assert double.keys == {"secret"}
    report = ended.report
    assert (report.read, report.delivered, report.rejected, report.requests) == (11, 10, 1, 4)
    assert report.reasons == {"S2": 1}
    assert [line["number"] for line in lines(report.receipts)] == ["1", "2", "3"]


def test_its_refused_records_are_found_and_kept(double: Double, deliver: Deliver) -> None:
    """Halves of a refused request find the record at fault, which stands whole in the rejects file."""
    double.tries = 1  # it is up again
    rows = [{"who": "Nobody" if number == 2 else "walker", "steps": number} for number in range(4)]

    ended = deliver(RowFormat.OBJECTS, rows)

    (reject,) = lines(ended.report.rejects)
    assert ended.report.delivered == 3
    assert (reject["position"], reject["rule"], reject["status"]) == (2, "S3", 400)
    assert reject["record"] == rows[2]
    assert "who is Nobody?" in reject["reason"]
