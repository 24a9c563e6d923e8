"""Whatever comes in, whatever fails, and whenever it is stopped: each record ends in exactly one place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery import runner
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import StoppedError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Odd

MakePlan = Callable[..., Plan]
Settle = Callable[[Plan, Result], Result]
Rows = Callable[..., list[dict[str, Any]]]


DEEP: Any = "geheim"
for _ in range(3_000):
    DEEP = [DEEP]

INVALID: list[Any] = [
    None,
    7,
    "geheim",
    b"geheim",
    {},
    ["geheim"],
    Odd(),
    DEEP,
    {"user_id": Odd(), "device_name": Odd(), "user": Odd(), "data": Odd()},
    {
        "user_id": DEEP,
        "device_name": DEEP,
        "value": 1,
        "unit": "count",
        "start_date": "geheim",
        "user": DEEP,
        "data": {},
    },
    {"user_id": "1", "geheim\ud800": "geheim", "user": {"userLabel": "geheim"}, "data": {"\udfff": 1}},
    {"user_id": "1", "score": float("nan"), "user": {"userLabel": "geheim"}, "data": {"score": float("inf")}},
    {"user_id": "x" * 200, "value": 10**5000, "user": {"userLabel": 10**5000}, "data": {"a": 1}, "unit": "count"},
    {1: "geheim", (2, 3): "geheim", "user_id": "1"},
    {"user_id": "1", "raw": b"\xff", "user": {"userLabel": " "}, "data": {"a": b"\xff"}},
]
FAULTS = [
    "ok",
    "503",
    "429",
    "429 retry-after=30",
    "503 retry-after=date+9",
    "cut",
    "cut after accepting",
    "504 after accepting",
    "half",
    "500 body=html",
    "400",
    "400 body=empty",
    "422 body=html",
    "413",
    "200 body=html",
    "200 after accepting body=failure",
    "204",
    "202",
    "408 body=text",
    "429 retry-after=99999",
    "401",
    "409",
    "301 location=http://127.0.0.1/",
]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no request be cancelled that a busy machine is slow with: the vendor could have counted it, or not."""
    monkeypatch.setattr(runner, "GRACE", 60.0)


@pytest.mark.slow
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mix=st.lists(st.tuples(st.integers(0, 400), st.integers(0, len(INVALID) - 1)), max_size=6),
    faults=st.lists(st.sampled_from(FAULTS), max_size=12),
    stop=st.none() | st.integers(0, 100) | st.integers(0, 1_000),
    in_flight=st.integers(1, 16),
    on_doubt=st.sampled_from(["resend", "hold"]),
    breaks=st.booleans(),
)
def test_the_counts_always_add_up(
    vendor: str,
    mix: list[tuple[int, int]],
    faults: list[str],
    stop: int | None,
    in_flight: int,
    on_doubt: Any,
    breaks: bool,
    sandbox: Sandbox,
    plan: MakePlan,
    settle: Settle,
    rows: Rows,
) -> None:
    """Each position stands in exactly one of receipts and rejects, and what was accepted is no less than said (A5)."""
    sandbox.reset()
    sandbox.vendors[vendor].script(*faults)
    given_rows: list[Any] = []
    for count, odd in mix:
        count = count // 10 if vendor == "thymia" else count  # each one a request
        given_rows += [*rows(vendor, count, first=len(given_rows)), INVALID[odd]]

    def source() -> Iterator[Any]:
        for place, row in enumerate(given_rows):
            if place == stop:
                delivery.stop(StoppedError("told to"))
            yield row
        if breaks:
            raise LookupError("geheim")

    with tempfile.TemporaryDirectory() as output:
        patience = Patience(max_attempts=3, on_doubt=on_doubt)
        planned = plan(vendor, source(), output=Path(output), max_in_flight=in_flight, patience=patience)
        delivery = Delivery(planned)
        ended = settle(planned, delivery.run())

    report, arrived = ended.report, sandbox.vendors[vendor].counts
    assert report.read <= len(given_rows)
    assert report.delivered <= arrived.distinct <= report.delivered + report.unknown + report.rejected
    assert arrived.repeated <= report.resent
    assert report.requests == arrived.requests
    if ended.error is None:
        assert report.read == len(given_rows)
        assert not breaks


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_a_row_that_cannot_even_be_checked_is_rejected_alone(
    vendor: str, plan: MakePlan, settle: Settle, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the check of a row fail, that row is set aside by its type of error, and the others go."""
    planned = plan(vendor, [*rows(vendor, 5), "geheim-odd", *rows(vendor, 5, first=5)])
    prepare = type(planned.vendor).prepare_value

    def failing(self: Any, value: object) -> Any:
        if value == "geheim-odd":
            raise RecursionError(value)
        return prepare(self, value)

    monkeypatch.setattr(type(planned.vendor), "prepare_value", failing)

    report = settle(planned, Delivery(planned).run()).report

    assert (report.delivered, report.rejected) == (10, 1)


def test_a_plan_shows_no_record(plan: MakePlan, rows: Rows) -> None:
    """Whoever logs the values of an error's frames gets none with it (A6)."""
    assert "geheim" not in repr(plan("thymia", [{"user": {"userLabel": "geheim"}, "data": {"note": "geheim"}}]))
