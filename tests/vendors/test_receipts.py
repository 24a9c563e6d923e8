"""What the bodies of answers prove (G10, G11, P9, T9) and tell (T10), in whatever shape they come."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Refused, Retry, Unproven
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

GEROSENSE, PTENGINE, THYMIA = GeroSense("steps"), Ptengine(), Thymia("mood")

UPLOAD_ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
RECEIPT = json.dumps({"uploadId": UPLOAD_ID, "msg": "Success", "timestamp": 1684155980}).encode()

Make = Callable[..., Answer]


@pytest.mark.parametrize("complete", [True, False])
def test_a_207_proves_nothing(answer: Make, complete: bool) -> None:
    """Some samples were accepted, nobody knows which: unknown, cut or whole, and the answer is kept (G11)."""
    meaning = GEROSENSE.meaning(answer(207, b'{"failed": [2]}', complete=complete))

    assert meaning == Unproven("G11", 'answered 207, some records were not accepted: {"failed": [2]}')


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"Success"',
        b'{"msg": "success"}',
        b'{"msg": "Failure"}',
        b'{"msg": null}',
        b'{"msg": ["Success"]}',
        b'{"Msg": "Success"}',
        b"Success",
        b"<html>Success</html>",
        b'{"msg": "Success"',
        b"\xff",
        b"[" * 10_000,
    ],
)
def test_ptengine_says_success_or_it_is_unknown(answer: Make, body: bytes) -> None:
    """A 200 counts only with the word `Success` in its place (P9)."""
    meaning = PTENGINE.meaning(answer(200, body))

    assert isinstance(meaning, Unproven)
    assert meaning.rule == "P9"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        f'"{UPLOAD_ID}"'.encode(),
        f'["{UPLOAD_ID}"]'.encode(),
        b'{"uploadId": null}',
        b'{"uploadId": 5}',
        b'{"uploadId": ""}',
        b'{"uploadId": "pending"}',
        f'{{"uploadId": ["{UPLOAD_ID}"]}}'.encode(),
        f'{{"uploadId": "{UPLOAD_ID[:-1]}"}}'.encode(),
        f'{{"uploadid": "{UPLOAD_ID}"}}'.encode(),
        b'{"uploadId": "\xff"}',
        b"<html></html>",
    ],
)
def test_thymia_gives_a_receipt_or_it_is_unknown(answer: Make, body: bytes) -> None:
    """A 2xx without a UUID proves nothing (T9)."""
    for status in (200, 201, 204):
        meaning = THYMIA.meaning(answer(status, body))
        assert isinstance(meaning, Unproven)
        assert meaning.rule == "T9"


@pytest.mark.parametrize("vendor", [PTENGINE, THYMIA], ids=lambda vendor: vendor.name)
def test_a_receipt_that_was_cut_off_is_in_doubt(answer: Make, vendor: Vendor) -> None:
    """The vendor had said 200, and its proof got lost on the way: in doubt (A3), unless the proof is there."""
    assert vendor.meaning(answer(200, RECEIPT[:9], complete=False)) == Retry(
        "A3", "answered 200, cut off before its end", in_doubt=True
    )
    assert vendor.meaning(answer(200, RECEIPT, complete=False)) == Accepted()


def test_thymias_receipt_is_kept() -> None:
    """The line of an accepted upload names the label and the upload (T9)."""
    record = Record(b"{}", user="user-12345")

    assert THYMIA.receipt([record], Answer(200, {}, RECEIPT)) == {"user_label": "user-12345", "upload_id": UPLOAD_ID}
    assert GEROSENSE.receipt([record], Answer(200, {}, RECEIPT)) == {}
    assert PTENGINE.receipt([record], Answer(200, {}, RECEIPT)) == {}


@pytest.mark.parametrize(
    "written", [UPLOAD_ID.upper(), UPLOAD_ID.replace("-", ""), f"{{{UPLOAD_ID}}}", f"urn:uuid:{UPLOAD_ID}"]
)
def test_an_upload_id_in_another_form_is_the_same(written: str) -> None:
    """Whatever way a vendor writes a UUID, the receipt has the usual one."""
    answer = Answer(200, {}, json.dumps({"uploadId": written}).encode())

    assert THYMIA.meaning(answer) == Accepted()
    assert THYMIA.receipt([Record(b"{}", user="u")], answer)["upload_id"] == UPLOAD_ID


@pytest.mark.parametrize(
    ("details", "reason", "path"),
    [
        ([{"loc": ["body", "data", 3], "msg": "bad", "type": "t"}], "answered 422: bad", "body.data.3"),
        ([{"loc": ["body"], "msg": "a"}, {"loc": [], "msg": "b"}], "answered 422: a; b", "body"),
        ([{"loc": [], "msg": "a"}], "answered 422: a", None),
        ([{"loc": "body", "msg": "a"}], "answered 422: a", None),
        ([{"msg": "a"}, "text", None, {"msg": 5}], "answered 422: a", None),
        ([{"loc": [None, {"a": 1}, "x"]}], "answered 422: ", "x"),
        ([{"loc": ["x"] * 5000, "msg": "m" * 5000}], "answered 422: " + "m" * 1000, "x." * 500),
    ],
)
def test_a_422_names_its_faults(answer: Make, details: object, reason: str, path: str | None) -> None:
    """Thymia's `loc` and `msg` reach the rejects file, cut to a bearable length (T10)."""
    meaning = THYMIA.meaning(answer(422, json.dumps({"detail": details}).encode()))

    assert meaning == Refused("T10", reason, path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"detail": "text"}',
        b'{"detail": null}',
        b'{"detail": {}}',
        b'{"detail": []}',
        b"\xff<html>",
    ],
)
def test_a_422_of_any_other_shape_is_survived(answer: Make, body: bytes) -> None:
    """The shape of an error's body is not to be relied on (T10)."""
    meaning = THYMIA.meaning(answer(422, body))

    assert meaning == Refused("T10", f"answered 422: {body.decode(errors='replace')}")
