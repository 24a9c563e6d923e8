"""Many records reach each vendor, and all of them do when a tenth of all requests fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]

VOLUMES = [("gerosense", 100_000, 1000), ("ptengine", 10_000, 100), ("thymia", 1_000, 1)]
FAULTS = {
    "503": 0.03,
    "429 retry-after=2": 0.01,
    "429": 0.01,
    "cut": 0.03,
    "cut after accepting": 0.02,
}


@pytest.mark.parametrize(("vendor", "count", "size"), VOLUMES)
def test_all_records_reach_the_vendor_once(
    vendor: str, count: int, size: int, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """Each record is accepted once, in the smallest number of requests."""
    ended = deliver(vendor, rows(vendor, count))

    arrived = sandbox.vendors[vendor].counts
    assert ended.error is None
    assert (ended.report.read, ended.report.delivered, ended.report.resent) == (count, count, 0)
    assert (arrived.records, arrived.distinct, arrived.repeated) == (count, count, 0)
    assert arrived.requests == ended.report.requests == count // size
    assert arrived.by_status == {200: count // size}
    assert ended.report.bytes == sum(len(request.body) for request in sandbox.vendors[vendor].requests)


@pytest.mark.parametrize(("vendor", "count", "size"), VOLUMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_all_records_arrive_when_a_tenth_of_the_requests_fails(
    vendor: str, count: int, size: int, seed: int, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """Refusals to serve and broken connections cost requests, never records."""
    count = count if seed == 1 else count // 10
    sandbox.random_faults(vendor, seed=seed, chances=FAULTS)

    ended = deliver(vendor, rows(vendor, count))

    arrived = sandbox.vendors[vendor].counts
    assert ended.error is None
    assert ended.report.delivered == arrived.distinct == count
    assert arrived.repeated <= ended.report.resent
    assert ended.report.requests == arrived.requests == count // size + ended.report.retries
    if seed == 1:
        assert ended.report.retries > 0


def test_no_request_carries_more_than_is_allowed_at_once(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """Never more requests are in progress than `max_in_flight`."""
    sandbox.thymia.latency = 0.01

    deliver("thymia", rows("thymia", 60), max_in_flight=3)

    assert 1 <= sandbox.thymia.counts.most_in_flight <= 3


def test_samples_go_out_in_the_order_of_the_source(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """One request at a time, the vendor sees the source's order (G9)."""
    samples = rows("gerosense", 5_003)

    deliver("gerosense", samples, max_in_flight=1)

    names = [sample["device_name"] for sample in sandbox.gerosense.arrived()]
    assert names == [sample["device_name"] for sample in samples]


def test_the_receipts_of_thymia_name_label_and_upload(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: Callable[[str | None], list[dict[str, Any]]]
) -> None:
    """A receipt tells which upload is whose (T9)."""
    records = rows("thymia", 20)

    ended = deliver("thymia", records)

    receipts = {line["ranges"][0][0]: line for line in lines(ended.report.receipts)}
    assert [receipts[place]["user_label"] for place in range(20)] == [one["user"]["userLabel"] for one in records]
    assert len({line["upload_id"] for line in receipts.values()}) == 20
    assert [json.loads(request.body) for request in sandbox.thymia.requests if request.status != 200] == []
