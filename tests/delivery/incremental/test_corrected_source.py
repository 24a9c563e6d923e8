"""An incremental run that was red for its rejects, whose source was corrected: cleared, it sends what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import RejectsError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import MemoryStore

Run = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
COUNT = 60
VENDORS = ["thymia", "gerosense", "ptengine"]


@pytest.fixture
def store(run: Run, rows: Rows, vendor: str) -> MemoryStore:
    """Give the store of a run that is red for three of its records, and was cleared."""
    store = MemoryStore()
    spoilt = [*rows(vendor, COUNT - 3), "geheim", "geheim", "geheim"]
    assert isinstance(run(vendor, spoilt, store=store, max_rejected=0).error, RejectsError)
    store.max_tries = 1
    return store


@pytest.mark.parametrize("vendor", VENDORS)
def test_only_what_was_rejected_is_sent(
    vendor: str, run: Run, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """With counts of the whole run; and the next run finds all of it delivered."""
    records = rows(vendor, COUNT)

    green = run(vendor, records, attempt="2-x", store=store, max_rejected=0)

    assert (green.error, green.report.read, green.report.delivered) == (None, COUNT, COUNT)
    assert sandbox.vendors[vendor].counts.records == COUNT
    assert run(vendor, records, "2").report.unchanged == COUNT


@pytest.mark.parametrize("vendor", VENDORS)
def test_any_other_change_is_left_to_the_ledger(
    vendor: str, run: Run, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """A source in another order, with new records in front, is read anew: what was delivered is unchanged."""
    records = rows(vendor, COUNT + 5)[::-1]

    green = run(vendor, records, attempt="2-x", store=store, max_rejected=0)

    assert (green.error, green.report.delivered, green.report.unchanged) == (None, 8, COUNT - 3)
    assert sandbox.vendors[vendor].counts.records == COUNT + 5


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_record_corrected_into_one_that_is_there_is_unchanged(
    vendor: str, run: Run, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """It is not sent, counts once, and a further clear doesn't look at it again."""
    records = rows(vendor, COUNT - 3)
    spoilt = [*records, *records[:2], "geheim"]
    red = run(vendor, spoilt, attempt="2-x", store=store, max_rejected=0)
    assert (red.report.delivered, red.report.unchanged, red.report.rejected) == (COUNT - 3, 2, 1)
    store.max_tries = 2

    again = run(vendor, spoilt, attempt="3-x", store=store, max_rejected=1)

    assert (again.error, again.report.unchanged, again.report.rejected) == (None, 2, 1)
    assert sandbox.vendors[vendor].counts.records == COUNT - 3
