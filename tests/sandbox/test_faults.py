"""Faults are understood, happen in order, once each, and accept what they say they accept."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from airflow_provider_userdata.sandbox import Sandbox, ScriptedFault, VendorRateLimit

Send = Callable[..., requests.Response]
Valid = Callable[[str], dict[str, Any]]


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "503",
        "503 x30",
        "429 retry-after=2",
        "429 retry-after=date+5",
        "429 retry-after='Wed, 21 Oct 2026 07:28:00 GMT'",
        "301 location=http://127.0.0.1/",
        "500 body=html",
        "500 body=big",
        "200 body=failure",
        "200 after accepting body=truncated",
        "400 body='{\"odd\": 1}' x2",
        "504 after accepting",
        "207",
        "202 without receipt",
        "cut",
        "cut after accepting x2",
        "half",
        "hang",
        "ok latency=0.5",
        "503 x-trace=1 content-type=text/plain body=empty latency=0.1",
    ],
)
def test_a_fault_reads_its_own_text(text: str) -> None:
    """A fault and its text form stand for each other."""
    fault = ScriptedFault.parse(text)

    assert ScriptedFault.parse(str(fault)) == fault
    if "x-trace" not in text:
        assert str(fault) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oops",
        "99",
        "600",
        "101",
        "503 x0",
        "503 twice",
        "503 after",
        "cut retry-after=2",
        "cut without receipt",
        "503 without receipt",
        "503 latency=-1",
        "503 latency=nan",
        "503 latency=soon",
        "503 set-cookie=a",
        "503 body='",
        "503 x-a='b\nc'",
        "ok body=html",
    ],
)
def test_what_is_no_fault_is_refused(text: str, sandbox: Sandbox) -> None:
    """A text that means nothing is refused where it is written, with all that was scripted along with it."""
    with pytest.raises(ValueError, match="is no fault"):
        ScriptedFault.parse(text)
    with pytest.raises(ValueError, match="is no fault"):
        sandbox.thymia.script("503", text)
    assert sandbox.thymia.pending == []


def test_a_status_makes_a_fault() -> None:
    """In Python, a status is enough; a bare 200 is the vendor's own answer."""
    assert ScriptedFault(status=503) == ScriptedFault.parse("503")
    assert ScriptedFault(status=200) == ScriptedFault.parse("200") == ScriptedFault()


def test_faults_happen_in_order_once_each(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """A script is used up by POSTs, repetitions too, and then the vendor answers as it should."""
    sandbox.ptengine.script("429 retry-after=2", "503 x2", "ok", ScriptedFault(status=400))

    statuses = [send("ptengine", valid("ptengine")).status_code for _ in range(7)]

    assert statuses == [429, 503, 503, 200, 400, 200, 200]
    assert sandbox.ptengine.counts.by_status == {200: 3, 400: 1, 429: 1, 503: 2}
    assert sandbox.ptengine.counts.accepted_requests == 3
    assert [request.fault for request in sandbox.ptengine.requests][:3] == ["429 retry-after=2", "503", "503"]


def test_vendors_have_scripts_of_their_own(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """One vendor's faults are nobody else's, and a GET uses none up."""
    sandbox.gerosense.script("503")
    requests.get(f"{sandbox.url}/api/status", timeout=5)

    assert send("thymia", valid("thymia")).status_code == 200
    assert send("gerosense", valid("gerosense")).status_code == 503


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@pytest.mark.parametrize(
    "text", ["429 retry-after=2", "503", "500 body=html", "301 location=http://127.0.0.1:9/", "207"]
)
def test_a_status_accepts_nothing(sandbox: Sandbox, send: Send, valid: Valid, vendor: str, text: str) -> None:
    """A scripted status is answered without a look at what was sent; GeroSense's 207 is the exception."""
    sandbox.vendors[vendor].script(text)

    answer = send(vendor, valid(vendor))

    assert answer.status_code == int(text[:3])
    assert sandbox.vendors[vendor].counts.records == (2 if (vendor, text) == ("gerosense", "207") else 0)


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
@pytest.mark.parametrize("text", ["504 after accepting", "cut after accepting", "half"])
def test_what_is_accepted_under_a_fault_arrives(
    sandbox: Sandbox, send: Send, valid: Valid, vendor: str, text: str
) -> None:
    """After accepting, the answer may say anything, break off, or never come: the records are there."""
    double = sandbox.vendors[vendor]
    double.script(text)

    try:
        assert send(vendor, valid(vendor)).status_code == 504
    except requests.RequestException:
        assert not text.startswith("504")

    assert double.counts.records == {"thymia": 1, "gerosense": 4, "ptengine": 2}[vendor]


def test_a_fault_that_accepts_still_refuses_what_is_broken(sandbox: Sandbox, send: Send) -> None:
    """The rules hold before the fault does."""
    sandbox.ptengine.script("cut after accepting")

    assert send("ptengine", {}).status_code == 400


@pytest.mark.parametrize("vendor", ["thymia", "ptengine"])
def test_a_success_can_lack_its_receipt(sandbox: Sandbox, send: Send, valid: Valid, vendor: str) -> None:
    """Accepted, and answered with a 200 that proves nothing."""
    sandbox.vendors[vendor].script("200 without receipt")

    answer = send(vendor, valid(vendor))

    assert (answer.status_code, answer.json()) == (200, {})
    assert sandbox.vendors[vendor].counts.accepted_requests == 1


def test_retry_after_can_be_a_date_from_now(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """``date+30`` is worked out when it is answered."""
    sandbox.thymia.script("429 retry-after=date+30")

    date = parsedate_to_datetime(send("thymia", valid("thymia")).headers["Retry-After"])

    assert 25 < date.timestamp() - time.time() <= 30


@pytest.mark.parametrize(
    ("text", "kind", "size"),
    [
        ("500 body=html", "text/html", None),
        ("500 body=empty", None, 0),
        ("500 body=text", "text/plain", None),
        ("500 body=big", "text/plain", 10 * 1024 * 1024),
        ("500 body='{\"odd\": 1}'", "application/json", 10),
        ("204", None, 0),
        ("500 body=nothing content-type=application/json", "application/json", 7),
    ],
)
def test_a_body_is_what_was_scripted(
    sandbox: Sandbox, send: Send, valid: Valid, text: str, kind: str | None, size: int | None
) -> None:
    """HTML, nothing, 10 MB, or what one likes, with a content type that fits."""
    sandbox.ptengine.script(text)

    answer = send("ptengine", valid("ptengine"))

    assert answer.headers.get("Content-Type") == kind
    assert size is None or len(answer.content) == size


@pytest.mark.parametrize("text", ["cut", "half"])
def test_a_connection_breaks(sandbox: Sandbox, send: Send, valid: Valid, text: str) -> None:
    """Cut: no answer at all; half: less of it than its length says."""
    sandbox.thymia.script(text)

    with pytest.raises(requests.ConnectionError if text == "cut" else requests.exceptions.ChunkedEncodingError):
        send("thymia", valid("thymia"))

    assert sandbox.thymia.counts.unanswered == (1 if text == "cut" else 0)


def gives_up_early(sandbox: Sandbox, record: dict[str, Any]) -> None:
    """Send a request, close its connection while it is in flight, and wait until it has ended."""
    headers = {"x-api-key": sandbox.thymia.key, "content-type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(sandbox.url.removeprefix("http://"))) as connection:
        connection.request("POST", "/v1/user-data/mood", json.dumps(record), headers)
        wait_until(lambda: sandbox.thymia.counts.in_flight == 1)
    wait_until(lambda: sandbox.thymia.counts.in_flight == 0)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait, but not for ever."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_hanging_request_ends_with_its_client(sandbox: Sandbox, valid: Valid) -> None:
    """A hung request is in flight until its client gives up, and is never answered."""
    sandbox.thymia.script("hang")

    gives_up_early(sandbox, valid("thymia"))

    assert (sandbox.thymia.counts.in_flight, sandbox.thymia.counts.unanswered) == (0, 1)


def test_latency_delays_what_is_accepted_all_the_same(sandbox: Sandbox, valid: Valid) -> None:
    """A client that gives up too early is accepted without knowing it."""
    sandbox.thymia.latency = 0.2

    gives_up_early(sandbox, valid("thymia"))

    (request,) = sandbox.thymia.requests
    assert (request.status, request.accepted) == (200, 1)
    assert request.ended is not None
    assert request.ended - request.started >= 0.2


def test_random_faults_repeat_with_their_seed(sandbox: Sandbox, send: Send, valid: Valid) -> None:
    """The same seed brings the same faults, another one others, and the script comes first."""

    def statuses(seed: int) -> list[int]:
        sandbox.random_faults("ptengine", seed=seed, chances={"503": 0.3, "429": 0.2})
        sandbox.ptengine.script("400")
        return [send("ptengine", valid("ptengine")).status_code for _ in range(40)]

    first = statuses(7)

    assert statuses(7) == first
    assert statuses(8) != first
    assert first[0] == 400
    assert {200, 429, 503} < set(first)


@pytest.mark.parametrize("chances", [{"503": 1.1}, {"503": -0.1}, {"503": 0.6, "429": 0.6}, {"odd": 0.1}])
def test_chances_that_cannot_be_are_refused(sandbox: Sandbox, chances: dict[str, float]) -> None:
    """Probabilities lie between 0 and 1, and so does their sum."""
    with pytest.raises(ValueError, match=r"chances|no fault"):
        sandbox.random_faults("thymia", seed=1, chances=chances)


@pytest.mark.parametrize(("retry_after", "header"), [(None, None), (3, "3")])
def test_a_rate_limit_refuses_what_is_beyond_it(
    sandbox: Sandbox, send: Send, valid: Valid, retry_after: int | None, header: str | None
) -> None:
    """Beyond a second's worth of requests comes 429, which is counted and uses up no script."""
    sandbox.ptengine.rate_limit = VendorRateLimit(2, retry_after=retry_after)
    sandbox.ptengine.script("503", "503")

    answers = [send("ptengine", valid("ptengine")) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [503, 503, 429, 429]
    assert answers[-1].headers.get("Retry-After") == header
    assert sandbox.ptengine.counts.rate_limited == 2


def test_a_rate_limit_lets_pass_again_with_time(
    sandbox: Sandbox, send: Send, valid: Valid, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was used up comes back at the limit's rate."""
    now = time.monotonic()
    monkeypatch.setattr("airflow_provider_userdata.sandbox.limits.time.monotonic", lambda: now)
    sandbox.ptengine.rate_limit = 1
    assert [send("ptengine", valid("ptengine")).status_code for _ in range(2)] == [200, 429]

    now += 1

    assert [send("ptengine", valid("ptengine")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("limit", [0, -1, float("nan"), True])
def test_a_rate_limit_is_above_zero(sandbox: Sandbox, limit: float) -> None:
    """Other limits are refused."""
    with pytest.raises(ValueError, match="rate limit"):
        sandbox.thymia.rate_limit = limit
