"""What arrived is counted in full, kept within limits, and told apart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.arrivals import Arrival, Arrivals

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


def test_requests_show_what_was_sent_without_the_key(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """Path, headers, body and status are there; the key and cookies are not, in whatever header."""
    before = time.time()
    send("thymia", valid("thymia"), X_Trace="abc", Cookie="c=secret", Authorization="Bearer secret")

    (request,) = sandbox.thymia.requests
    assert (request.path, request.status, request.accepted) == ("/v1/user-data/mood", 200, 1)
    assert json.loads(request.body) == valid("thymia")
    assert request.headers["X-Trace"] == "abc"
    assert before - 1 <= request.at <= time.time()
    assert sandbox.thymia.key not in str(request.headers)
    assert "secret" not in str(request.headers)


def test_duplicates_are_told_by_content_not_by_the_order_of_keys(sandbox: Sandbox, send: Send) -> None:
    """A record that is accepted twice is one distinct record, repeated, however it is spelled."""
    send("thymia", b'{"user": {"userLabel": "u"}, "data": {"a": 1, "b": "\\u00e9"}}')
    send("thymia", '{"data": {"b": "é", "a": 1}, "user": {"userLabel": "u"}}'.encode())
    send("thymia", b'{"user": {"userLabel": "u"}, "data": {"a": 1.0, "b": "\\u00e9"}}')

    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct, counts.repeated) == (3, 2, 1)


def test_steps_and_bpm_are_different_records(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """The data type is part of a sample."""
    send("gerosense", valid("gerosense"))
    send("gerosense", {**valid("gerosense"), "data_type": "bpm"})

    assert (sandbox.gerosense.counts.records, sandbox.gerosense.counts.repeated) == (8, 0)


def test_only_the_last_are_kept_but_all_are_counted(valid: Valid) -> None:
    """``keep`` limits what is shown, not what is counted."""
    with Sandbox(keep=3) as sandbox, requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.ptengine.key}"
        for number in range(5):
            body = {"field_name": ["user_id"], "values": [[f"{number}-{user}"] for user in range(2)]}
            session.post(f"{sandbox.url}/v1/user/profiles", json=body, timeout=5)

        assert len(sandbox.ptengine.requests) == 3
        assert [user["user_id"] for user in sandbox.ptengine.arrived()] == ["3-1", "4-0", "4-1"]
        assert (sandbox.ptengine.counts.requests, sandbox.ptengine.counts.distinct) == (5, 10)


@pytest.mark.parametrize(("keep", "kept"), [(1000, 3), (None, 5)])
def test_bodies_are_kept_within_a_limit(keep: int | None, kept: int) -> None:
    """32 MB of bodies at most are kept, or all of them where all is kept."""
    arrivals = Arrivals(keep)

    for _ in range(5):
        request = arrivals.begin("/", {})
        arrivals.carry(request, b"x" * (10 * 1024 * 1024))
        arrivals.end(request, 200)

    assert len(arrivals.requests()) == kept
    assert arrivals.counts().requests == 5


def test_overlapping_requests_can_be_told_from_those_in_turn(sandbox: Sandbox, valid: Valid) -> None:
    """Two at once overlap and are in flight together; one after the other are not."""

    def post() -> None:
        headers = {"x-api-key": sandbox.thymia.key}
        requests.post(f"{sandbox.url}/v1/user-data/mood", json=valid("thymia"), headers=headers, timeout=5)

    post()
    sandbox.thymia.latency = 0.05
    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    alone, first, second = sandbox.thymia.requests
    assert first.overlaps(second)
    assert second.overlaps(first)
    assert not alone.overlaps(first)
    assert not second.overlaps(alone)
    assert sandbox.thymia.counts.most_in_flight == 2


def test_a_request_that_never_ended_overlaps_what_came_later() -> None:
    """No end is an end that lies ahead."""
    hung = Arrival(path="/", headers={}, at=0, started=1)
    later = Arrival(path="/", headers={}, at=0, started=5, ended=6)

    assert hung.overlaps(later)
    assert later.overlaps(hung)


def test_what_was_in_flight_at_a_reset_counts_no_more() -> None:
    """A test is not charged with what an earlier one left hanging."""
    arrivals = Arrivals(None)
    request = arrivals.begin("/", {})

    arrivals.reset()
    arrivals.accept(request, [{"a": 1}])
    arrivals.end(request, 200)

    assert arrivals.counts() == Arrivals(None).counts()
    assert arrivals.records() == []


def test_reset_forgets_everything(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """After a reset, a sandbox is as good as new."""
    send("gerosense", valid("gerosense"))
    sandbox.gerosense.script("503")
    sandbox.gerosense.random_faults(seed=1, chances={"503": 1.0})
    sandbox.gerosense.rate_limit = 5
    sandbox.gerosense.latency = 3
    sandbox.gerosense.maintenance = True

    sandbox.reset()

    assert sandbox.gerosense.requests == []
    assert sandbox.gerosense.counts.requests == 0
    assert send("gerosense", valid("gerosense")).status_code == 200
    assert (sandbox.gerosense.counts.distinct, sandbox.gerosense.counts.repeated) == (4, 0)


@pytest.mark.alone
def test_a_million_records_are_counted_in_bounded_memory_and_time() -> None:
    """The cost of a record is some microseconds and a hundred bytes, shown here for a part of a million."""
    arrivals = Arrivals(10)
    request = arrivals.begin("/", {})
    started = time.process_time()

    for batch in range(50):
        arrivals.accept(request, [{"user_id": f"{batch}-{n}", "plan": "free"} for n in range(1000)])

    assert time.process_time() - started < 2.5
    assert arrivals.counts().distinct == 50_000
    assert len(arrivals.records()) == 10
