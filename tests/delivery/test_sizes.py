"""What 413s teach about the size of requests is kept to, whatever the vendor counts."""

from __future__ import annotations

import json
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery import splitting
from airflow_provider_userdata.delivery.batching import Batch
from airflow_provider_userdata.delivery.plan import Ended
from airflow_provider_userdata.delivery.sizes import Sizes
from airflow_provider_userdata.errors import RefusedError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.reading import Refused
from airflow_provider_userdata.vendors.contract import Record, Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine

Deliver = Callable[..., Ended]
Rows = Callable[..., list[dict[str, Any]]]
Lines = Callable[[str | None], list[dict[str, Any]]]
Limit = Callable[..., None]


def records(lengths: list[int]) -> list[Record]:
    """Make records of some lengths."""
    return [Record(b"x" * length) for length in lengths]


def sent(sizes: Sizes, vendor: Vendor, batch: Batch, most_records: float, most_bytes: float) -> tuple[int, int, int]:
    """Send a batch to a vendor with limits; return the requests, those refused, and the records that can't be sent."""
    requests = refused = lost = 0
    waiting = deque([batch])
    while waiting:
        first, *others = sizes.parts(waiting.popleft())
        waiting.extendleft(reversed(others))
        requests += 1
        assert vendor.limits.minimum <= len(first)
        size = vendor.request(first).size
        if len(first) <= most_records and size <= most_bytes:
            sizes.accepted(len(first), size)
            continue
        refused += 1
        sizes.refused(len(first), size)
        parts = sizes.parts(first, fewest=2)
        if len(parts) == 1:
            lost += len(first)
        else:
            assert sum(map(len, parts)) == len(first)
            waiting.extendleft(reversed(parts))
    return requests, refused, lost


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    vendor=st.sampled_from([GeroSense("steps"), Ptengine()]),
    share=st.floats(0.02, 1.2),
    by=st.sampled_from(["records", "bytes", "both"]),
    spread=st.sampled_from([0, 10, 90]),
    seed=st.integers(0, 10_000).map(random.Random),
)
def test_few_requests_are_refused_for_their_size(vendor: Vendor, share: float, by: str, spread: int, seed: Any) -> None:
    """Whether a vendor counts records or bytes, after a few refusals nearly all requests are as large as may be."""
    full, mean, count = vendor.limits.maximum, 100, 30
    most_records = max(8, share * full) if by != "bytes" else math.inf
    most_bytes = max(8, share * full) * mean if by != "records" else math.inf
    sizes = Sizes(vendor)
    batches = [records([mean + seed.randint(-spread, spread) for _ in range(full)]) for _ in range(count)]

    totals = [sent(sizes, vendor, batch, most_records, most_bytes) for batch in batches]

    requests, refused, lost = map(sum, zip(*totals, strict=True))
    late_requests, late_refused, _ = map(sum, zip(*totals[count // 2 :], strict=True))
    best = count * math.ceil(full / min(most_records, most_bytes / mean, full))
    assert lost == 0
    assert refused <= 40
    assert late_refused <= 4 + late_requests / 10
    assert requests <= 2.1 * best + refused


def test_one_record_that_is_too_large_makes_no_later_request_small() -> None:
    """A request of few records that was refused for one of them says nothing about many that are short."""
    vendor, sizes = Ptengine(), Sizes(Ptengine())

    first = sent(sizes, vendor, records([100] * 50 + [9_000] + [100] * 49), math.inf, 8_000)
    later = [sent(sizes, vendor, records([70] * 100), math.inf, 8_000) for _ in range(10)]

    assert first[2] == 1
    assert sum(requests for requests, _, _ in later) <= 15


def test_a_vendor_that_takes_more_or_less_than_before_is_kept_up_with() -> None:
    """What was learned holds until the vendor's answers say something else."""
    vendor, sizes = Ptengine(), Sizes(Ptengine())
    batch = records([100] * 100)

    refused = []
    for limit in (100, 20, 90, 5):
        for place in range(6):
            _, few, lost = sent(sizes, vendor, batch, limit, math.inf)
            assert lost == 0
            refused.append(few if place == 5 else 0)

    assert sum(refused) <= 1


def test_records_or_bytes_alone_are_no_reason_while_nobody_knows_which_was_too_much() -> None:
    """As many records as were refused may be sent where they are short, and as many bytes where they are few."""
    sizes, short, few = Sizes(Ptengine()), records([70] * 100), records([2_000] * 10)
    sizes.refused(100, 18_000)

    assert sizes.parts(short) == [short]
    assert sizes.parts(few) == [few]
    assert len(sizes.parts(records([200] * 100))) == 2


def test_what_was_refused_is_cut_though_as_much_was_accepted_meanwhile() -> None:
    """It is never sent again as it was."""
    sizes, batch = Sizes(Ptengine()), records([100] * 100)
    sizes.refused(100, 11_000)
    sizes.accepted(100, 20_000)

    assert sizes.parts(batch) == [batch]
    assert len(sizes.parts(batch, fewest=2)) == 2


def test_a_limit_is_forgotten_once_more_was_taken() -> None:
    """A larger request, that was in flight already, may be accepted after a smaller one was refused."""
    sizes, batch = Sizes(Ptengine()), records([100] * 100)
    sizes.accepted(10, 10_000)
    sizes.refused(50, 5_000)
    assert len(sizes.parts(batch)) == 3

    sizes.accepted(60, 6_000)

    assert sizes.parts(batch) == [batch]


@pytest.fixture
def limit(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Let a vendor answer 413 to more than so many records or bytes, and 400 to a name: ``limit("ptengine", 30)``."""

    def limited(name: str, most: float = math.inf, size: float = math.inf, bad: bytes = b"-none-") -> None:
        vendor = sandbox.vendors[name]
        check, refusal = vendor.check, vendor.refusal

        def checked(request: Any, body: bytes) -> list[dict[str, Any]]:
            value = json.loads(body)
            if len(value.get("values", value.get("data"))) > most or len(body) > size:
                raise Refused("A4", (), "too large")
            if bad in body:
                raise Refused("G8", ("data",), "not to our liking")
            return check(request, body)

        def refused(reason: Refused) -> Any:
            return vendor.error(413, reason.message) if reason.rule == "A4" else refusal(reason)

        monkeypatch.setattr(vendor, "check", checked)
        monkeypatch.setattr(vendor, "refusal", refused)

    return limited


@pytest.mark.parametrize("in_flight", [1, 16])
@pytest.mark.parametrize(
    ("vendor", "count", "given"),
    [
        ("ptengine", 5_000, {"most": 30}),
        ("ptengine", 5_000, {"size": 2_000}),
        ("gerosense", 50_000, {"most": 300}),
        ("gerosense", 50_000, {"size": 20_000}),
    ],
)
def test_later_requests_keep_to_the_size_that_was_taken(
    vendor: str,
    count: int,
    given: dict[str, int],
    in_flight: int,
    limit: Limit,
    deliver: Deliver,
    rows: Rows,
    sandbox: Sandbox,
) -> None:
    """Only the first requests are refused for their size, and no sample ends in a request of 1 or 2 (A4, G3)."""
    limit(vendor, **given)

    ended = deliver(vendor, rows(vendor, count), max_in_flight=in_flight)

    statuses = [request.status for request in sandbox.vendors[vendor].requests]
    assert (ended.error, ended.report.delivered) == (None, count)
    assert sandbox.vendors[vendor].counts.distinct == count
    assert statuses.count(413) <= 4 * in_flight + 8
    assert statuses[len(statuses) // 2 :].count(413) <= 2


def test_a_refusal_for_size_costs_nothing_of_the_budget(
    limit: Limit, deliver: Deliver, rows: Rows, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a 413 splits is no search for a fault: that can still be found (A4, P11)."""
    monkeypatch.setattr(splitting, "EXTRA_REQUESTS", 12)
    limit("ptengine", most=20, bad=b'"geheim-777"')

    ended = deliver("ptengine", rows("ptengine", 1_000), max_in_flight=1)

    assert (ended.error, ended.report.delivered) == (None, 999)
    assert [line["position"] for line in lines(ended.report.rejects)] == [777]


@pytest.mark.parametrize(("vendor", "lost", "rule"), [("ptengine", 1, "A4"), ("gerosense", 5, "G12")])
def test_a_record_that_is_too_large_alone_is_rejected_and_the_others_go(
    vendor: str, lost: int, rule: str, limit: Limit, deliver: Deliver, rows: Rows, lines: Lines
) -> None:
    """One that no request can carry takes at most its group with it (A4, G12)."""
    samples = rows(vendor, 2_000)
    samples[37 if vendor == "ptengine" else 1337]["user_id" if vendor == "ptengine" else "device_name"] += "x" * 100
    limit(vendor, size=150 if vendor == "ptengine" else 600)

    ended = deliver(vendor, samples, max_in_flight=1)

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert 1 <= len(found) <= lost
    assert {(line["rule"], line["status"]) for line in found} == {(rule, 413)}
    assert (37 if vendor == "ptengine" else 1337) in [line["position"] for line in found]


@pytest.mark.parametrize("vendor", ["gerosense", "ptengine", "thymia"])
@pytest.mark.parametrize("in_flight", [1, 16])
def test_a_vendor_to_whom_everything_is_too_large_stops_the_run(
    vendor: str, in_flight: int, deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """After a bounded number of requests the fault is not a record's (A4)."""
    sandbox.vendors[vendor].script("413 x99999")
    count = {"gerosense": 40_000, "ptengine": 4_000, "thymia": 400}[vendor]

    ended = deliver(vendor, rows(vendor, count), max_in_flight=in_flight)

    assert isinstance(ended.error, RefusedError)
    assert sandbox.vendors[vendor].counts.requests <= (100 if vendor == "thymia" else 3 * 14) + in_flight * 15
    assert ended.report.rejected + ended.report.held == ended.report.read <= count
