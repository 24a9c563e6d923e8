"""What each vendor's answers mean for the records: the contract's table, over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import RefusedError
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]

ALL = ("thymia", "gerosense", "ptengine")
SIZES = {"thymia": 1, "gerosense": 3, "ptengine": 100}


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("401", "A1"),
        ("403 body=html", "A1"),
        ("404 body=empty", "A1"),
        ("301 location=http://127.0.0.1/", "A4"),
        ("304", "A4"),
        ("405", "A4"),
        ("409 body=text", "A4"),
        ("418 body='{\"odd\": 1}'", "A4"),
    ],
)
def test_an_answer_that_no_retry_can_change_stops_the_run(
    vendor: str, fault: str, rule: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """Nothing further is sent, and every record read is held with the reason."""
    sandbox.vendors[vendor].script(f"{fault} x99")

    ended = deliver(vendor, rows(vendor, 3 * SIZES[vendor]), max_in_flight=1)

    assert isinstance(ended.error, RefusedError)
    assert not ended.error.retriable
    assert f"answered {fault[:3]}" in str(ended.error)
    assert sandbox.vendors[vendor].counts.requests == 1
    assert ended.report.held == ended.report.read
    assert {line["rule"] for line in lines(ended.report.rejects)} == {rule}
    assert {line["status"] for line in lines(ended.report.rejects)} <= {int(fault[:3]), None}


@pytest.mark.parametrize("vendor", ALL)
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_stop_sends_nothing_after_what_was_in_flight(
    vendor: str, status: int, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """What was delivered stays delivered; at most what was in flight follows the answer (A1)."""
    size = {"gerosense": 1000}.get(vendor, SIZES[vendor])
    sandbox.vendors[vendor].script("ok x5", f"{status} x9999")

    ended = deliver(vendor, rows(vendor, 20 * size), max_in_flight=4)

    accepted = sandbox.vendors[vendor].counts.accepted_requests
    assert accepted == 5
    assert ended.report.delivered == sandbox.vendors[vendor].counts.records >= 5 * size
    assert sandbox.vendors[vendor].counts.requests <= 5 + 4
    assert ended.report.delivered + ended.report.held == ended.report.read


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """The address that a redirect names gets neither the records nor the key (A2)."""
    sandbox.thymia.script(f"{status} location={sandbox.url}/v1/user-data/elsewhere")

    ended = deliver("thymia", rows("thymia", 1))

    assert isinstance(ended.error, RefusedError)
    assert [request.path for request in sandbox.thymia.requests] == ["/v1/user-data/mood"]
    assert sandbox.thymia.counts.records == 0


@pytest.mark.parametrize(
    ("vendor", "fault", "rule"),
    [
        ("thymia", "200 without receipt", "T9"),
        ("thymia", "200 body=html", "T9"),
        ("thymia", "200 body=empty", "T9"),
        ("thymia", '200 body=\'{"uploadId": "soon"}\'', "T9"),
        ("thymia", "200 body='[1]'", "T9"),
        ("thymia", "202 without receipt", "T9"),
        ("thymia", "204", "T9"),
        ("thymia", "207", "T9"),
        ("ptengine", "200 without receipt", "P9"),
        ("ptengine", "200 body=html", "P9"),
        ("ptengine", "200 body=empty", "P9"),
        ("ptengine", '200 body=\'{"msg": "Failure"}\'', "P9"),
        ("ptengine", '200 body=\'{"msg": ["Success"]}\'', "P9"),
        ("ptengine", "201", "A4"),
        ("ptengine", "204", "A4"),
        ("ptengine", "207", "A4"),
        ("gerosense", "200 body=html", "G10"),
        ("gerosense", "200 body=text", "G10"),
        ("gerosense", "200 body=failure", "G10"),
        ("gerosense", "200 body=truncated", "G10"),
        ("gerosense", "200 body=big", "G10"),
        ("gerosense", "half", "G10"),
        ("gerosense", "201", "A4"),
        ("gerosense", "202 body=html", "A4"),
        ("gerosense", "204", "A4"),
        ("gerosense", "207", "G11"),
    ],
)
def test_a_success_without_proof_is_unknown(
    vendor: str, fault: str, rule: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """What may have arrived is neither called delivered nor sent again, and the rest goes on."""
    sandbox.vendors[vendor].script(fault)
    size = SIZES[vendor]
    records = rows(vendor, 2 * size if size != 3 else 2000)

    ended = deliver(vendor, records, max_in_flight=1)

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert ended.report.unknown == ended.report.delivered == len(records) // 2
    assert {(line["fate"], line["rule"], line["status"]) for line in found} == {
        ("unknown", rule, 200 if fault == "half" else int(fault[:3]))
    }
    assert [line["record"] for line in found] == records[: len(found)]
    assert (ended.report.requests, ended.report.retries) == (2, 0)


@pytest.mark.parametrize(("vendor", "asked"), [("thymia", 100), ("gerosense", 3), ("ptengine", 3)])
def test_a_proxy_that_answers_everything_takes_no_more_than_a_few_batches(
    vendor: str, asked: int, sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """Where every answer is a page of somebody else's, the run stops: the rest is held, not unknown (A4)."""
    sandbox.vendors[vendor].script(*["200 body=html"] * 200)
    size = {"thymia": 1, "gerosense": 1000, "ptengine": 100}[vendor]

    ended = deliver(vendor, rows(vendor, size * (asked + 20)), max_in_flight=1)

    assert isinstance(ended.error, RefusedError)
    assert "does a proxy answer in its place?" in str(ended.error)
    assert ended.report.requests == asked
    assert (ended.report.delivered, ended.report.unknown) == (0, size * asked)
    assert ended.report.held > 0


@pytest.mark.parametrize("body", ["empty", "'{}'", '\'{"status": "Ok", "errors": []}\''])
def test_gerosenses_200_needs_no_body(body: str, sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """An empty body, and JSON that speaks of no failure, are its receipt (G10)."""
    sandbox.gerosense.script(f"200 after accepting body={body}")

    report = deliver("gerosense", rows("gerosense", 3)).report

    assert (report.delivered, report.requests) == (3, 1)


@pytest.mark.parametrize(
    ("vendor", "status", "rule"),
    [
        ("thymia", 400, "T10"),
        ("thymia", 422, "T10"),
        ("thymia", 413, "A4"),
        ("gerosense", 400, "G12"),
        ("gerosense", 422, "G12"),
        ("gerosense", 413, "G12"),
        ("ptengine", 400, "P10"),
        ("ptengine", 422, "P10"),
        ("ptengine", 413, "A4"),
    ],
)
@pytest.mark.parametrize("body", ["", " body=html", " body=empty", " body=text", " body=big"])
def test_a_refusal_rejects_with_the_vendors_words(
    vendor: str, status: int, rule: str, body: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """Refused records are rejected, whatever the answer's body, and the run goes on."""
    records = rows(vendor, 1 if vendor != "gerosense" else 3)
    sandbox.vendors[vendor].script(f"{status}{body}")

    ended = deliver(vendor, records)

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert [(line["fate"], line["rule"], line["status"]) for line in found] == [("rejected", rule, status)] * len(
        records
    )
    assert all(f"answered {status}" in line["reason"] for line in found)
    assert all(len(line["reason"]) < 1_200 for line in found)
    assert sandbox.vendors[vendor].counts.requests == 1


def test_a_refused_upload_names_its_faults(sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines) -> None:
    """Thymia's `loc` and `msg` stand in the rejects file (T10)."""
    body = '{"detail": [{"loc": ["body", "data", 3], "msg": "too odd", "type": "x"}, {"msg": "and late"}]}'
    sandbox.thymia.script(f"422 body='{body}'")

    (line,) = lines(deliver("thymia", rows("thymia", 1)).report.rejects)

    assert (line["path"], line["reason"]) == ("body.data.3", "answered 422: too odd; and late")


@pytest.mark.parametrize(
    "body", ["[]", "null", '{"detail": 7}', '{"detail": []}', '{"detail": [7]}', '{"detail": [{"loc": 7, "msg": []}]}']
)
def test_a_refusal_of_any_shape_is_survived(
    body: str, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """The shape of error bodies is not relied on (T10)."""
    sandbox.thymia.script(f"422 body='{body}'")

    ended = deliver("thymia", rows("thymia", 2), max_in_flight=1)

    assert (ended.report.rejected, ended.report.delivered) == (1, 1)
