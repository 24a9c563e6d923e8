"""On object storage, what the next second may send is said before it goes: a kill leaves nothing uncounted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Whole = Callable[..., None]
COUNTS = {"thymia": 120, "gerosense": 25_000, "ptengine": 2_500}
BATCH = {"thymia": 1, "gerosense": 1000, "ptengine": 100}
VENDORS = pytest.mark.parametrize("vendor", COUNTS)


@pytest.fixture
def place(objects: Callable[[Path], Any], tmp_path: Path) -> Any:
    """Give a run's folder in an object store."""
    return objects(tmp_path / "run")


def twice(sandbox: Sandbox, vendor: str) -> int:
    """Return how many records arrived more often than once, each time but the first."""
    counts = sandbox.vendors[vendor].counts
    return counts.records - counts.distinct


@VENDORS
@pytest.mark.parametrize("receipts", [[20], [1], [10, 10], [3, 20, 3]])
def test_what_arrived_twice_is_never_more_than_what_is_said(
    vendor: str,
    receipts: list[int],
    crash: Callable[..., None],
    attempt: Attempt,
    rows: Rows,
    whole: Whole,
    sandbox: Sandbox,
    place: Any,
) -> None:
    """Killed before any of its receipts was written, once or again and again, it counts all that it sends again."""
    for receipt in receipts:
        crash(vendor, rows(vendor, COUNTS[vendor]), receipt, max_in_flight=2, output=place)

    report = attempt(vendor, rows(vendor, COUNTS[vendor]), output=place).report

    whole(report, COUNTS[vendor])
    assert sandbox.vendors[vendor].counts.distinct == report.delivered == COUNTS[vendor]
    assert twice(sandbox, vendor) <= report.resent <= len(receipts) * COUNTS[vendor]


@VENDORS
def test_what_goes_again_while_in_doubt_is_on_record_before_it_does(
    vendor: str, crash: Callable[..., None], attempt: Attempt, rows: Rows, sandbox: Sandbox, place: Any
) -> None:
    """A request that comes once more within a killed attempt is counted, too."""
    sandbox.vendors[vendor].script("504 after accepting x2", "cut after accepting", "ok")
    crash(vendor, rows(vendor, COUNTS[vendor]), 2, max_in_flight=1, output=place)

    report = attempt(vendor, rows(vendor, COUNTS[vendor]), output=place).report

    assert twice(sandbox, vendor) >= 4 * BATCH[vendor]
    assert twice(sandbox, vendor) <= report.resent


@VENDORS
def test_an_attempt_that_ended_by_itself_leaves_no_more_in_doubt_than_it_has_to(
    vendor: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox, place: Any
) -> None:
    """What was announced, and didn't go, counts no more once an attempt has come to its own end."""
    sandbox.vendors[vendor].script("ok x3", "503 x99")
    first = attempt(vendor, rows(vendor, COUNTS[vendor]), output=place, patience=Patience(max_attempts=1))
    assert isinstance(first.error, VendorDownError)
    sandbox.vendors[vendor].clear_faults()

    report = attempt(vendor, rows(vendor, COUNTS[vendor]), output=place).report

    whole(report, COUNTS[vendor])
    assert (report.resent, twice(sandbox, vendor), report.unknown) == (0, 0, 0)


@VENDORS
def test_nothing_comes_twice_where_it_must_not(
    vendor: str,
    crash: Callable[..., None],
    attempt: Attempt,
    rows: Rows,
    whole: Whole,
    sandbox: Sandbox,
    place: Any,
) -> None:
    """With `hold`, what a killed attempt had announced is unknown, whole, and the rest goes out."""
    hold = Patience(on_doubt="hold")
    for receipt in (5, 3):
        crash(vendor, rows(vendor, COUNTS[vendor]), receipt, max_in_flight=1, patience=hold, output=place)

    ended = attempt(vendor, rows(vendor, COUNTS[vendor]), patience=hold, output=place)

    whole(ended.report, COUNTS[vendor])
    counts = sandbox.vendors[vendor].counts
    assert (ended.error, counts.repeated, ended.report.reasons) == (None, 0, {"A3": ended.report.unknown})
    assert counts.distinct <= ended.report.delivered + ended.report.unknown == COUNTS[vendor]
    assert ended.report.delivered > 0
