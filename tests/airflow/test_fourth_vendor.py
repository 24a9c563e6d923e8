"""A fourth vendor: its contract, hook, operator, decorator and sandbox are written here, and one line registers it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
import requests
from aiohttp import web

from airflow_provider_userdata import registry
from airflow_provider_userdata.decorators.base import task_decorator
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.provider_info import get_provider_info
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.registry import Registration
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.__main__ import main
from airflow_provider_userdata.sandbox.answers import FakeAnswer
from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.connections import lead_to
from airflow_provider_userdata.sandbox.reading import ContractBreach, read_json
from airflow_provider_userdata.sandbox.vendor import FakeVendor
from airflow_provider_userdata.vendors import Accepted, Answer, BatchLimits, Meaning, Request, Vendor, shared_meaning
from airflow_provider_userdata.vendors.rules import by_rule
from airflow_provider_userdata.vendors.validation import Fault, Invalid


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """A number of steps that somebody walked."""

    who: str
    steps: int


@dataclass(frozen=True, slots=True)
class Pedometer(Vendor):
    """A vendor that takes up to four records a request, and answers with a receipt's number."""

    name: ClassVar[str] = "pedometer"
    limits: ClassVar[BatchLimits] = BatchLimits(maximum=4)
    suspect_rule: ClassVar[str] = "S4"
    rules: ClassVar[Mapping[str, str]] = {"S2": "not a step", "S3": "refused by Pedometer"}
    known_fields: ClassVar[frozenset[str]] = frozenset({"who", "steps"})

    def prepare_json(self, text: bytes) -> Record | Invalid:
        """Check a JSON text."""
        return self.prepare_value(msgspec.json.decode(text))

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check a Python value."""
        try:
            return Record(msgspec.json.encode(msgspec.convert(value, Step)))
        except msgspec.ValidationError:
            return Invalid((Fault("S2", (), "is not a step"),))

    def request(self, records: Sequence[Record]) -> Request:
        """Join records to a list."""
        return Request("/walked", (b"[%b]" % b",".join(record.body for record in records),))

    def meaning(self, answer: Answer) -> Meaning:
        """Take a 201 for acceptance."""
        return Accepted() if answer.status == 201 else shared_meaning(answer, refusal_rule="S3")

    def receipt(self, records: Sequence[Record], answer: Answer) -> dict[str, str]:
        """Return the receipt's number."""
        return {"number": answer.text()}


class PedometerHook(VendorHook):
    """The connection to Pedometer."""

    conn_name_attr = "pedometer_conn_id"
    default_conn_name = "pedometer_default"
    conn_type = "pedometer"
    hook_name = "Pedometer"
    api_paths = ("/walked",)

    def __init__(self, pedometer_conn_id: str = default_conn_name) -> None:
        super().__init__(pedometer_conn_id)

    def _try(self, session: requests.Session) -> tuple[bool, str]:
        """Ask how many have walked."""
        return session.get(self.get_url("/walked")).status_code == 200, "Pedometer counts"


class PedometerStepsOperator(DeliveryOperator):
    """Uploads steps."""

    def _vendor(self) -> Pedometer:
        return Pedometer()

    def _hook(self) -> PedometerHook:
        return PedometerHook()


pedometer_steps_task = task_decorator("pedometer_steps", PedometerStepsOperator, __name__)


class FakePedometer(FakeVendor):
    """The vendor's side, which refuses requests with a walker called Nobody."""

    name = "pedometer"
    title = "Pedometer"
    key = "sandbox-pedometer-key"
    paths = ("/walked",)

    def routes(self) -> list[web.RouteDef]:
        """Its path."""
        return [web.post("/walked", self.post), web.get("/walked", self.count)]

    async def count(self, _: web.Request) -> web.Response:
        """Answer how many have walked."""
        return web.json_response(self.counts.records)

    def check(self, request: web.Request, body: bytes) -> list[JsonObject]:
        """Take all steps but Nobody's."""
        steps: list[JsonObject] = read_json("S1", request, body)
        if any(step["who"] == "Nobody" for step in steps):
            raise ContractBreach("S3", (), "who is Nobody?")
        return steps

    def success(self, *, receipt: bool) -> FakeAnswer:
        """Return the receipt's number."""
        return FakeAnswer(201, str(self.counts.accepted_requests).encode() if receipt else b"")

    def refusal(self, refused: ContractBreach) -> FakeAnswer:
        """Say what was refused."""
        return self.error(400, refused.reason)

    def error(self, status: int, message: str) -> FakeAnswer:
        """Other errors are a text."""
        return FakeAnswer(status, message.encode(), "text/plain")


_HERE = __name__
LINE = Registration(
    "pedometer", "Pedometer", f"{_HERE}.Pedometer", f"{_HERE}.PedometerHook",
    f"{_HERE}.PedometerStepsOperator", "pedometer_steps", f"{_HERE}.pedometer_steps_task",
    f"{_HERE}.FakePedometer", "API key", "https://steps.example.com",
)  # fmt: skip


@pytest.fixture
def pedometer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVendor]:
    """Register the vendor, and run a sandbox to which its connection leads."""
    monkeypatch.setattr(registry, "VENDORS", [*registry.VENDORS, LINE])
    with Sandbox(keep=None) as sandbox:
        lead_to(sandbox, monkeypatch)
        yield sandbox.vendors["pedometer"]


def walk(*names: str) -> list[dict[str, Any]]:
    """Make a step of each walker."""
    return [{"who": name, "steps": number} for number, name in enumerate(names)]


def lines(path: str) -> list[Mapping[str, Any]]:
    """Read a file of outcomes."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.mark.parametrize("as_file", [False, True])
def test_its_operator_delivers(pedometer: FakeVendor, context: Any, tmp_path: Path, *, as_file: bool) -> None:
    """Checking, batching, retries, receipts and counts come with the delivery, none of them written for this vendor."""
    steps = walk(*"abcdefghij")
    rows = [*steps[:5], {"who": 5}, *steps[5:]]
    source = tmp_path / "steps.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    pedometer.script("503 retry-after=0")
    operator = PedometerStepsOperator(
        task_id="upload", source=source if as_file else rows, max_in_flight=1, max_rejected=1
    )

    report = operator.execute(context)

    assert pedometer.arrived() == steps
    assert [request.accepted for request in pedometer.requests] == [0, 4, 4, 2]
    assert (report["read"], report["delivered"], report["rejected"], report["retries"]) == (11, 10, 1, 1)
    assert report["reasons"] == {"S2": 1}
    assert [line["number"] for line in lines(report["receipts"])] == ["1", "2", "3"]


def test_its_refused_records_are_found_and_kept(pedometer: FakeVendor, context: Any) -> None:
    """Halves of a refused request find the record at fault, which stands whole in the rejects file."""
    rows = walk("a", "b", "Nobody", "d")

    report = PedometerStepsOperator(task_id="upload", source=rows, max_rejected=1).execute(context)

    (reject,) = lines(report["rejects"])
    assert report["delivered"] == pedometer.counts.records == 3
    assert (reject["position"], reject["rule"], reject["status"]) == (2, "S3", 400)
    assert reject["record"] == rows[2]
    assert "who is Nobody?" in reject["reason"]


def test_its_decorator_delivers(pedometer: FakeVendor, new_dag: Any, context: Any) -> None:
    """A function's steps are an operator's source."""

    def walkers() -> list[dict[str, Any]]:
        return walk("a", "b")

    decorated: Any = pedometer_steps_task(walkers)
    with new_dag():
        operator = decorated().operator

    assert operator.execute(context)["delivered"] == 2
    assert pedometer.arrived() == walk("a", "b")


def test_one_line_registers_it(pedometer: FakeVendor, capsys: pytest.CaptureFixture[str]) -> None:
    """The form, the decorator's name, the sandbox and the words of its rules are derived from it."""
    info = get_provider_info()
    form = info["connection-types"][-1]

    assert (form["connection-type"], form["hook-name"]) == ("pedometer", "Pedometer")
    assert form["hook-class-name"] == f"{PedometerHook.__module__}.PedometerHook"
    assert form["ui-field-behaviour"]["placeholders"]["host"] == "https://steps.example.com"
    assert PedometerHook.get_ui_field_behaviour()["relabeling"] == form["ui-field-behaviour"]["relabeling"]
    assert PedometerHook().test_connection() == (True, "Pedometer counts")
    assert info["task-decorators"][-1]["name"] == "pedometer_steps"
    assert "Pedometer" in info["description"]
    assert isinstance(pedometer, FakePedometer)
    assert by_rule({"S2": 3}) == "S2, not a step: 3"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "Ptengine and Pedometer on this machine" in " ".join(capsys.readouterr().out.split())
