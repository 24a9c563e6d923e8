"""Thymia's records: nested or flat (T5), their labels (T6), and data that goes out as it came."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.fault import Invalid
from airflow_provider_userdata.vendors.validation.json_values import DEEPEST
from tests.doubles import Float, Int

Sent = Callable[[Record | Invalid], Any]
Breaks = Callable[[Record | Invalid], list[str]]

NESTED = Thymia("mood")
FLAT = Thymia("mood", user_label="id")


class Mood(str, enum.Enum):  # noqa: UP042  # the form whose `str()` is the member's name
    """A text that is a member of an enumeration."""

    GOOD = "good"


def user(label: object, data: object = None) -> dict[str, object]:
    """Make a nested record."""
    return {"user": {"userLabel": label}, "data": {"score": 1} if data is None else data}


def test_nested_and_flat_records_are_sent_alike(sent: Sent) -> None:
    """A flat record's label column is the label, and its other columns are the data (T5)."""
    nested = user("user-12345", {"score": 7, "note": None})
    flat = {"score": 7, "id": "user-12345", "note": None}

    assert sent(NESTED.prepare_value(nested)) == nested
    assert sent(NESTED.prepare_json(json.dumps(nested).encode())) == nested
    assert sent(FLAT.prepare_value(flat)) == nested
    assert sent(FLAT.prepare_json(json.dumps(flat).encode())) == nested


def test_cells_are_data_as_text(sent: Sent) -> None:
    """A CSV knows no types, and none are guessed: its cells are texts."""
    assert sent(FLAT.prepare_cells(("id", "score", "empty"), ["u", "7", ""])) == user("u", {"score": "7", "empty": ""})


@pytest.mark.parametrize("label", ["u", " u ", "\tu", "日本語😀", "x" * 51, "x" * 100_000, "é", "e\u0301", "\x00"])
def test_a_label_goes_out_byte_for_byte(sent: Sent, label: str) -> None:
    """A label is never stripped, folded or cut; one of over 50 characters is sent too (T6)."""
    found = NESTED.prepare_value(user(label))

    assert sent(found)["user"] == {"userLabel": label}
    assert isinstance(found, Record)
    assert found.user == label
    assert sent(FLAT.prepare_value({"id": label, "score": 1})) == user(label)


@pytest.mark.parametrize(
    ("label", "text"), [(0, "0"), (-5, "-5"), (2**64, str(2**64)), (Int(7), "7"), (Mood.GOOD, "good")]
)
def test_an_integer_label_becomes_its_digits(sent: Sent, label: object, text: str) -> None:
    """An integer is a label by its decimal digits (T6)."""
    assert sent(NESTED.prepare_value(user(label))) == user(text)
    assert sent(FLAT.prepare_value({"id": label, "score": 1})) == user(text)


@pytest.mark.parametrize("label", ["", " ", "\u3000\n", None, True, False, 1.0, 1.5, [], ["u"], {}])
def test_what_is_no_label_is_refused(breaks: Breaks, label: object) -> None:
    """Blank, null, boolean and fractional labels name nobody (T6)."""
    assert breaks(NESTED.prepare_value(user(label))) == ["T6 $.user.userLabel"]
    assert breaks(NESTED.prepare_json(json.dumps(user(label)).encode())) == ["T6 $.user.userLabel"]
    assert breaks(FLAT.prepare_value({"id": label, "score": 1})) == ["T6 $.user.userLabel"]


@pytest.mark.parametrize(
    ("record", "broken"),
    [
        ({"user": {"userLabel": "u"}}, ["T5 $.data"]),
        ({"data": {"a": 1}}, ["T5 $.user"]),
        ({}, ["T5 $.user", "T5 $.data"]),
        ({"user": {}, "data": {"a": 1}}, ["T6 $.user.userLabel"]),
        ({"user": "u", "data": {"a": 1}}, ["T5 $.user"]),
        (user("u", {}), ["T5 $.data"]),
        (user("u", [1]), ["T5 $.data"]),
        (user("u", "text"), ["T5 $.data"]),
        ({**user("u"), "more": 1}, ["T5 $.more"]),
        ({**user("u"), "user": {"userLabel": "u", "name": "n"}}, ["T5 $.user.name"]),
        ({"user": None, "data": None}, ["T5 $.user", "T5 $.data"]),
    ],
)
def test_a_record_of_another_shape_is_refused(breaks: Breaks, record: object, broken: list[str]) -> None:
    """Both keys are required, `data` is not empty, and no other key is sent (T5)."""
    assert breaks(NESTED.prepare_value(record)) == broken
    assert breaks(NESTED.prepare_json(json.dumps(record).encode())) == broken


@pytest.mark.parametrize(
    ("record", "broken"),
    [({"id": "u"}, ["T5 $.data"]), ({"a": 1}, ["T6 $.user.userLabel"]), (user("u"), ["T6 $.user.userLabel"])],
)
def test_a_flat_record_needs_its_label_and_some_data(breaks: Breaks, record: object, broken: list[str]) -> None:
    """A flat record without its label's column, or with that alone, is refused (T5, T6)."""
    assert breaks(FLAT.prepare_value(record)) == broken


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (14, "14"),
        (14.0, "14.0"),
        (1e22, "1e22"),
        (2**70, str(2**70)),
        (Decimal("1.10"), "1.10"),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Int(3), "3"),
        (Float(2.5), "2.5"),
        (Mood.GOOD, '"good"'),
        (None, "null"),
        (True, "true"),
        ((1, 2), "[1,2]"),
        (date(2023, 1, 2), '"2023-01-02"'),
        (datetime(2023, 1, 2, tzinfo=UTC), '"2023-01-02T00:00:00Z"'),
        (pendulum.datetime(2023, 1, 2, tz="Asia/Tokyo"), '"2023-01-02T00:00:00+09:00"'),
        (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        ("\u2028</script>\x7f", '"\u2028</script>\x7f"'),
    ],
    ids=repr,
)
def test_a_value_of_python_is_written_exactly(value: object, written: str) -> None:
    """Numbers keep value and kind, dates are ISO 8601, and what is of a subclass is what it is at bottom."""
    found = NESTED.prepare_value(user("u", {"a": value}))

    assert isinstance(found, Record)
    assert found.body == b'{"user":{"userLabel":"u"},"data":{"a":' + written.encode() + b"}}"


@pytest.mark.parametrize("place", ["deep", "list", "top"])
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("sNaN"),
        Decimal("1E+400"),
        b"x",
        {1, 2},
        pytest.param(object(), id="object()"),
        1j,
        {1: 2},
        {None: 1},
        range(3),
    ],
    ids=repr,
)
def test_a_value_that_json_has_no_form_for_is_refused(breaks: Breaks, place: str, value: object) -> None:
    """NaN, bytes, sets and keys that are no text are refused wherever they stand, with their place (T1)."""
    data = {"deep": {"a": {"b": value}}, "list": {"a": [0, value]}, "top": {"a": value}}[place]
    path = {"deep": "$.data.a.b", "list": "$.data.a[1]", "top": "$.data.a"}[place]

    assert breaks(NESTED.prepare_value(user("u", data))) == [f"T1 {path}"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(st.text(min_size=1).filter(str.strip), st.dictionaries(st.text(), JSON_VALUES, min_size=1, max_size=5))
def test_data_arrives_as_it_was(label: str, data: dict[str, Any]) -> None:
    """Any JSON goes out with the same values of the same kinds in the same order, whichever way it came in."""
    record = user(label, data)

    for found in (NESTED.prepare_value(record), NESTED.prepare_json(json.dumps(record).encode())):
        assert isinstance(found, Record)
        assert repr(json.loads(found.body)) == repr(record)


@pytest.mark.parametrize("levels", [10, DEEPEST - 3, DEEPEST - 2, DEEPEST - 1, DEEPEST, DEEPEST + 1, 5 * DEEPEST])
@pytest.mark.parametrize("ways", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("vendor", [NESTED, FLAT])
def test_a_record_is_too_deep_in_whichever_form_it_comes(vendor: Thymia, levels: int, ways: tuple[str, str]) -> None:
    """At the limit a text and the value that it stands for have one verdict (A7)."""
    deep = f"{ways[0] * levels}1{ways[1] * levels}"
    text = f'{{"user":{{"userLabel":"u"}},"data":{{"a":{deep}}}}}' if vendor is NESTED else f'{{"id":"u","a":{deep}}}'
    value: Any = 1
    for _ in range(levels):
        value = [value] if ways[0] == "[" else {"a": value}

    found = vendor.prepare_json(text.encode())

    assert found == vendor.prepare_value(user("u", {"a": value}) if vendor is NESTED else {"id": "u", "a": value})
    assert isinstance(found, Record) is (levels <= DEEPEST - 2)


def test_brackets_in_a_text_are_no_depth(sent: Sent) -> None:
    """Only what is nested is deep."""
    record = user("u", {"a": "[{" * DEEPEST})

    assert sent(NESTED.prepare_json(json.dumps(record).encode())) == record
