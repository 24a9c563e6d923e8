"""What answers mean: by status for every vendor (A1 to A4), by receipt (T9, P9), and whatever their bodies hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Meaning, Refused, Retry, Stop, Unproven
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

GEROSENSE, PTENGINE, THYMIA = GeroSense("steps"), Ptengine(), Thymia("mood")
VENDORS: tuple[Vendor, ...] = (GEROSENSE, PTENGINE, THYMIA)
ALL = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)

UPLOAD_ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RECEIPT = json.dumps({"uploadId": UPLOAD_ID, "msg": "Success", "timestamp": 1684155980}).encode()
MARKER = b"jane.roe@example.com"


Make = Callable[..., Answer]


@ALL
@pytest.mark.parametrize(
    ("statuses", "kind", "rule"),
    [
        ((401, 403, 404), Stop, "A1"),
        ((408, 425, 429, 500, 502, 503, 504), Retry, "A2"),
        ((300, 301, 302, 303, 304, 305, 306, 307, 308, 399), Stop, "A4"),
        ((402, 405, 406, 407, 409, 410, 411, 412, 414, 415, 418, 421, 423, 426, 428, 431, 451, 499), Stop, "A4"),
        ((413,), Refused, "A4"),
        ((100, 101, 102, 103, 199, 0, 600, 999), Stop, "A4"),
        ((501, 505, 506, 507, 508, 510, 511, 520, 522, 599), Retry, "A2"),
    ],
)  # fmt: skip
def test_a_status_means_the_same_with_every_vendor(
    answer: Make, vendor: Vendor, statuses: tuple[int, ...], kind: type, rule: str
) -> None:
    """Stops, retries and splits go by the status alone, whatever the body says (A1, A2, A4)."""
    for status in statuses:
        for body in (RECEIPT, b"", b"<html>"):
            meaning = vendor.meaning(answer(status, body))
            assert (type(meaning), getattr(meaning, "rule", None)) == (kind, rule), status


@ALL
@pytest.mark.parametrize("status", [300, 301, 308, 399])
def test_a_redirect_is_called_one(answer: Make, vendor: Vendor, status: int) -> None:
    """Who typed the host without its path or scheme sees what happened (A2)."""
    meaning = vendor.meaning(answer(status, location="https://elsewhere.example"))

    assert isinstance(meaning, Stop)
    assert "a redirect, which is not followed" in meaning.reason


@pytest.mark.parametrize(("vendor", "rule"), [(GEROSENSE, "G10"), (PTENGINE, "P10"), (THYMIA, "T10")])
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_has_the_vendors_own_rule(answer: Make, vendor: Vendor, rule: str, status: int) -> None:
    """400 and 422 refuse what was sent, and say why in the private files (G10, P10, T10)."""
    meaning = vendor.meaning(answer(status, b'{"msg": "field_name is missing"}'))

    assert meaning == Refused(rule, f'answered {status}: {{"msg": "field_name is missing"}}')


@pytest.mark.parametrize(("vendor", "accepted"), [(GEROSENSE, {200}), (PTENGINE, {200}), (THYMIA, {200, 201, 202})])
@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 299])
def test_another_success_is_no_proof(answer: Make, vendor: Vendor, accepted: set[int], status: int) -> None:
    """Any other 2xx is unknown (A4); for Thymia the receipt decides, not the number (T9)."""
    meaning = vendor.meaning(answer(status, RECEIPT if status in accepted else b"{}"))

    if status in accepted:
        assert meaning == Accepted()
    else:
        assert isinstance(meaning, Unproven)
        assert meaning.rule == ("T9" if vendor is THYMIA else "G11" if (vendor, status) == (GEROSENSE, 207) else "A4")


PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head></html>"
NO_WORD = {
    "a login page": (PAGE, "a page of HTML"),
    "a page with blanks and a byte order mark before it": (b"\xef\xbb\xbf \n<HTML lang=en>", "a page of HTML"),
    "a piece of a page": (b"<h1>Welcome to nginx!</h1>", "a page of HTML"),
    "text": (b"OK", "text that is not JSON"),
    "bytes": (b"\x1f\x8b\x08\x00", "text that is not JSON"),
    "JSON that ends in its middle": (b'{"accepted": 10', "incomplete JSON"),
    "JSON that goes on": (b'{"accepted": 10} and more', "text that is not JSON"),
    "no success": (b'{"success": false}', "`success`"),
    "no success, in another case": (b'{"Success": "False"}', "`success`"),
    "no ok": (b'{"ok": 0}', "`ok`"),
    "an error": (b'{"error": "invalid_token"}', "`error`"),
    "errors": (b'{"data": null, "errors": [{"message": "no"}]}', "`errors`"),
    "a detail": (b'{"detail": "Invalid token"}', "`detail`"),
    "a status": (b'{"status": "error"}', "`status`"),
    "a status in words": (b'{"status": "Request FAILED"}', "`status`"),
    "a status of HTTP": (b'{"status": 401, "title": "Unauthorized"}', "`status`"),
    "a status of HTTP as text": (b'{"statusCode": "503"}', "`statuscode`"),
    "a code": (b'{"code": 500}', "`code`"),
    "a status in a list": (b'[{"status": "ok"}, {"status": "failed"}]', "`status`"),
    "maintenance": (b'{"status": "Maintenance", "minimal_api_version": "v1.0"}', "`status`"),
    "a message": (b'{"message": "Invalid token"}', "`message`"),
    "a message with another beginning": (b'{"msg": "Access denied"}', "`msg`"),
    "some that failed": (b'{"accepted": 998, "rejected": 2}', "`rejected`"),
    "false": (b"false", "`false`"),
    "a word": (b'"Unauthorized"', "a failure"),
}


@pytest.mark.parametrize(("body", "looks"), NO_WORD.values(), ids=list(NO_WORD))
def test_a_200_that_is_not_gerosenses_is_unknown(answer: Make, body: bytes, looks: str) -> None:
    """A proxy's page, other text, and JSON with a failure in it prove nothing, and the reason says what came (G10)."""
    meaning = GEROSENSE.meaning(answer(200, body))

    assert isinstance(meaning, Unproven)
    assert meaning.rule == "G10"
    assert looks in meaning.reason


@pytest.mark.parametrize("body", [b"", b"{}", b'{"status": "Ok"}', b'{"detail'])
def test_a_200_that_breaks_off_is_unknown_whatever_came_of_it(answer: Make, body: bytes) -> None:
    """What was to follow could have been anything, so not even an empty body proves something then (G10)."""
    meaning = GEROSENSE.meaning(answer(200, body, complete=False))

    assert meaning == Unproven("G10", f"answered 200 with a body that was cut off: {body.decode()}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n\t",
        b"\xef\xbb\xbf",
        b"{}",
        b"\xef\xbb\xbf{}",
        b"[]",
        b"null",
        b"true",
        b"0",
        b'""',
        b'"OK"',
        b'{"status": "Ok"}',
        b'{"status": 200, "code": 0}',
        b'{"success": true, "error": null, "errors": [], "detail": ""}',
        b'{"ok": 1, "failed": 0, "rejected": []}',
        b'{"message": "1000 samples stored, 0 errors"}',
        b'{"result": {"error": 7}}',
        b'{"result": "1000 stored, 0 errors, no failures", "status": "ended without error"}',
        b'[{"status": "ok"}, 7, "x"]',
        RECEIPT,
    ],
)
def test_a_200_without_a_sign_of_failure_is_gerosenses(answer: Make, body: bytes) -> None:
    """An empty body, and JSON that speaks of no failure, accept all (G10)."""
    assert GEROSENSE.meaning(answer(200, body)) == Accepted()


@pytest.mark.parametrize(("vendor", "rule"), [(GEROSENSE, "G10"), (PTENGINE, "P9"), (THYMIA, "T9")])
def test_a_proxys_page_is_called_one(answer: Make, vendor: Vendor, rule: str) -> None:
    """Who has a proxy's login page before a vendor reads so in the rejects file, whichever vendor it is."""
    meaning = vendor.meaning(answer(200, PAGE))

    assert isinstance(meaning, Unproven)
    assert (meaning.rule, "a page of HTML" in meaning.reason) == (rule, True)


@pytest.mark.parametrize(("vendor", "body"), [(PTENGINE, b'{"msg": "Success"}'), (THYMIA, RECEIPT)])
def test_a_byte_order_mark_hides_no_receipt(answer: Make, vendor: Vendor, body: bytes) -> None:
    """Some servers begin JSON with one."""
    assert vendor.meaning(answer(200, b"\xef\xbb\xbf" + body)) == Accepted()


@ALL
def test_an_error_that_may_come_after_the_acceptance_is_in_doubt(answer: Make, vendor: Vendor) -> None:
    """Behind 500, 502 and 504 the vendor may have accepted; the others say that it did not (A3)."""
    doubts = {}
    for status in (408, 425, 429, 500, 502, 503, 504):
        meaning = vendor.meaning(answer(status))
        assert isinstance(meaning, Retry)
        doubts[status] = meaning.in_doubt

    assert [status for status, in_doubt in doubts.items() if in_doubt] == [500, 502, 504]


@ALL
@pytest.mark.parametrize("after", ["5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", ""])
def test_retry_after_is_handed_on_as_it_came(answer: Make, vendor: Vendor, after: str) -> None:
    """The text of `Retry-After` is read where there is a clock, not here (A2)."""
    meaning = vendor.meaning(answer(429, retry_after=after))

    assert isinstance(meaning, Retry)
    assert meaning.after == after
    assert vendor.meaning(answer(503)) == Retry("A2", "answered 503")


@ALL
@pytest.mark.parametrize("status", [*range(100, 200, 33), *range(300, 600)])
def test_nothing_of_a_body_reaches_a_log(answer: Make, vendor: Vendor, status: int) -> None:
    """The reasons of stops and retries end up in logs and exceptions, so they hold no body (A6)."""
    for complete in (True, False):
        meaning = vendor.meaning(answer(status, MARKER + RECEIPT, complete=complete, location=MARKER.decode()))
        if isinstance(meaning, Stop | Retry):
            assert MARKER.decode() not in repr(meaning)
            assert str(status) in meaning.reason


@ALL
@pytest.mark.parametrize("status", [200, 201, 207, 400, 413, 422])
def test_a_huge_body_leaves_a_short_reason(answer: Make, vendor: Vendor, status: int) -> None:
    """An error page of a megabyte is shown by its beginning."""
    meaning = vendor.meaning(answer(status, "日".encode() * 300_000))

    assert len(getattr(meaning, "reason", "")) < 1100


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["Success", UPLOAD_ID]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["detail", "loc", "msg", "uploadId", "status"]) | st.text(), inner, max_size=4
        )
    ),
)


@settings(deadline=None, max_examples=300)
@given(
    status=st.integers(100, 599) | st.sampled_from([200, 400, 422]),
    body=BODIES.map(lambda body: json.dumps(body).encode()) | st.binary(),
    complete=st.booleans(),
)
@example(status=200, body=b'"\xff"', complete=True)
@example(status=422, body=b'{"detail": [{"msg": ' + b"[" * 900 + b"]" * 900 + b"}]}", complete=True)
def test_any_answer_has_a_meaning(status: int, body: bytes, complete: bool) -> None:
    """Whatever comes back means something, and nothing raises."""
    given: Any = Answer(status, {}, body, complete)
    for vendor in VENDORS:
        meaning = vendor.meaning(given)
        assert isinstance(meaning, Meaning)
        if isinstance(meaning, Accepted):
            assert 200 <= status < 300
        assert isinstance(vendor.takes_requests(given), bool)
        vendor.receipt([Record(b"{}", user="u")], given)


@pytest.mark.parametrize(
    ("status", "body", "takes"),
    [
        (200, b'{"status": "Ok", "minimal_api_version": "1.0"}', True),
        (200, b'{"status": "Maintenance"}', False),
        (200, b'{"status": "maintenance"}', True),
        (200, b"Maintenance", True),
        (200, b"\xff", True),
        (404, b"", True),
        (503, b'{"status": "Maintenance"}', True),
    ],
)
def test_maintenance_is_said_in_so_many_words(answer: Make, status: int, body: bytes, takes: bool) -> None:
    """Only GeroSense's own word holds requests back; what is no status leaves it to the requests to find out (G13)."""
    assert GEROSENSE.takes_requests(answer(status, body)) is takes
    assert GEROSENSE.status_path == "/api/status"


@pytest.mark.parametrize("vendor", [PTENGINE, THYMIA], ids=lambda vendor: vendor.name)
def test_the_others_have_no_place_to_ask(vendor: Vendor) -> None:
    """Thymia and Ptengine are just sent to (P12)."""
    assert vendor.status_path is None
    assert vendor.takes_requests(Answer(503, {}, b""))
