"""What a report counts over several attempts: what may have arrived twice, and every request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Ended
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.delivery.transport import Endpoint
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Ended]
Rows = Callable[..., list[dict[str, Any]]]
Whole = Callable[..., None]
TWICE = Patience(max_attempts=2)


def twice(sandbox: Sandbox, vendor: str) -> int:
    """Return how many records arrived more often than once, each time but the first."""
    counts = sandbox.vendors[vendor].counts
    return counts.records - counts.distinct


def test_what_was_sent_again_by_attempts_that_were_killed_is_counted(
    crash: Callable[..., None], attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A record that attempt after attempt sends, and none gets a receipt for, counts for each time but the first."""
    for _ in range(4):
        crash("thymia", rows("thymia", 20), 1, max_in_flight=1)

    report = attempt("thymia", rows("thymia", 20), max_in_flight=1).report

    whole(report, 20)
    assert (report.resent, twice(sandbox, "thymia")) == (4, 4)


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_a_connection_that_is_refused_sends_nothing_again(
    vendor: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox, refusing_port: int
) -> None:
    """In an outage that goes on for some attempts, what is in doubt counts when it goes, not when it can't."""
    count = {"thymia": 8, "gerosense": 4_000, "ptengine": 400}[vendor]
    sandbox.vendors[vendor].script("504 after accepting x99")
    first = attempt(vendor, rows(vendor, count), max_in_flight=4, patience=Patience(max_attempts=1))
    assert isinstance(first.error, VendorDownError)
    doubtful = first.report.unknown
    sandbox.vendors[vendor].clear_faults()

    for _ in range(3):
        nobody = Endpoint(f"http://127.0.0.1:{refusing_port}", {})
        refused = attempt(vendor, rows(vendor, count), max_in_flight=4, endpoint=nobody, patience=TWICE)
        assert isinstance(refused.error, VendorDownError)
        assert refused.report.resent == 0
    report = attempt(vendor, rows(vendor, count)).report

    whole(report, count)
    assert report.resent == twice(sandbox, vendor) == doubtful


@pytest.mark.parametrize("refusal", ["503", "429", "401"])
def test_what_a_vendor_surely_did_not_take_was_not_sent_twice(
    refusal: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """Only what may have arrived counts, within an attempt and over several."""
    sandbox.thymia.script("cut after accepting", f"{refusal} x3", "cut after accepting", "503 x99")
    attempt("thymia", rows("thymia", 1), patience=Patience(max_attempts=4))
    sandbox.thymia.rescript("503 x2")

    report = attempt("thymia", rows("thymia", 1)).report

    whole(report, 1)
    assert report.resent == twice(sandbox, "thymia")


def test_halves_of_what_was_in_doubt_count_when_they_go(
    attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A batch may be there though its next request was too large: so may its halves."""
    sandbox.gerosense.script("504 after accepting", "413")

    report = attempt("gerosense", rows("gerosense", 1_000)).report

    whole(report, 1_000)
    assert report.resent == twice(sandbox, "gerosense") == 1_000


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@pytest.mark.parametrize("fault", ["500", "500 after accepting"])
def test_an_error_of_the_vendors_own_is_in_doubt(
    vendor: str, fault: str, attempt: Attempt, rows: Rows, whole: Whole, sandbox: Sandbox
) -> None:
    """A 500 can come after the acceptance: with `hold` it is unknown, and not sent again (A3)."""
    count = {"thymia": 1, "gerosense": 1000, "ptengine": 100}[vendor]
    sandbox.vendors[vendor].script(fault)

    report = attempt(vendor, rows(vendor, 2 * count), max_in_flight=1, patience=Patience(on_doubt="hold")).report

    whole(report, 2 * count)
    assert (report.delivered, report.unknown, report.reasons) == (count, count, {"A3": count})
    assert sandbox.vendors[vendor].counts.repeated == 0


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_requests_after_the_last_checkpoint_are_counted(
    vendor: str, crash: Callable[..., None], attempt: Attempt, rows: Rows, sandbox: Sandbox
) -> None:
    """Requests, retries and bytes of attempts that were killed are in the report of the one that came to the end."""
    count = {"thymia": 12, "gerosense": 12_000, "ptengine": 1_200}[vendor]
    sandbox.vendors[vendor].script(
        "ok", "503 x2", "ok x2", "504 after accepting", "413" if vendor != "thymia" else "ok"
    )
    crash(vendor, rows(vendor, count), 5, max_in_flight=1)
    crash(vendor, rows(vendor, count), 3, max_in_flight=1)

    report = attempt(vendor, rows(vendor, count)).report

    vendors = sandbox.vendors[vendor]
    assert report.requests == vendors.counts.requests
    assert report.retries == 3
    assert report.resent == twice(sandbox, vendor)
    assert report.bytes == sum(len(request.body) for request in vendors.requests)
