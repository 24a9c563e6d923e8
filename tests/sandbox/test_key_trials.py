"""Requests that only try a key: answered as by the vendor, and no upload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox

Send = Callable[..., requests.Response]
TRIALS: dict[str, dict[str, list[object]]] = {"gerosense": {"data": []}, "ptengine": {"field_name": [], "values": []}}


@pytest.mark.parametrize("vendor", TRIALS)
def test_the_key_is_looked_at_before_the_body(sandbox: Sandbox, send: Send, vendor: str) -> None:
    """With the key, such a body is refused; without, or with another one, the key is (G13, P10)."""
    body = TRIALS[vendor]
    assert send(vendor, body).status_code == 400
    for wrong in (None, "Bearer wrong", sandbox.vendors[vendor].key):
        assert send(vendor, body, Authorization=wrong).status_code == 401


@pytest.mark.parametrize("vendor", TRIALS)
def test_it_is_no_upload(sandbox: Sandbox, send: Send, vendor: str) -> None:
    """It is not counted, and neither a fault nor the rate limit's share is used up."""
    double = sandbox.vendors[vendor]
    double.rate_limit = 0.001
    double.script("503 x2", "cut")
    for _ in range(3):
        send(vendor, TRIALS[vendor])

    assert double.pending == ["503 x2", "cut"]
    assert (double.requests, double.arrived()) == ([], [])
    assert (double.counts.requests, double.counts.by_status, double.counts.rate_limited) == (0, {}, 0)
    assert send(vendor, {"data": [1]}).status_code == 503
    assert double.counts.requests == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [("ok", 400), ("503", 503), ("429 retry-after=5", 429), ("401", 401), ("200 body=html", 200), ("504 x3", 504)],
)
@pytest.mark.parametrize("vendor", TRIALS)
def test_it_meets_the_fault_that_an_upload_would_meet(
    sandbox: Sandbox, send: Send, vendor: str, fault: str, status: int
) -> None:
    """So that a client's test of its key can be tried, too."""
    sandbox.vendors[vendor].script(fault)
    assert send(vendor, TRIALS[vendor]).status_code == status


@pytest.mark.parametrize("vendor", TRIALS)
def test_it_may_get_no_answer(sandbox: Sandbox, send: Send, vendor: str) -> None:
    """As an upload may."""
    sandbox.vendors[vendor].script("cut")
    with pytest.raises(requests.ConnectionError):
        send(vendor, TRIALS[vendor])


def test_in_maintenance_nothing_is_tried(sandbox: Sandbox, send: Send) -> None:
    """A 503 says nothing of the key (G13)."""
    sandbox.gerosense.maintenance = True
    assert send("gerosense", TRIALS["gerosense"], Authorization="Bearer wrong").status_code == 503


@pytest.mark.parametrize(
    ("vendor", "body"),
    [
        ("gerosense", {"data_type": "steps", "data": []}),
        ("gerosense", {}),
        ("gerosense", b'{"data": ['),
        ("gerosense", b"\xff"),
        ("ptengine", {"field_name": ["user_id"], "values": []}),
        ("ptengine", {"field_name": [], "values": [[]]}),
        ("ptengine", []),
    ],
)
def test_what_only_looks_like_it_is_counted(sandbox: Sandbox, send: Send, vendor: str, body: Any) -> None:
    """A client that sends an empty upload by mistake is found out."""
    assert send(vendor, body).status_code == 400
    assert sandbox.vendors[vendor].counts.by_status == {400: 1}
