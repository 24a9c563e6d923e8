"""Ptengine's user attributes: names and limits (P3, P4), empty and missing values (P5), text (P6), users (P7)."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.contract import Compared, Table
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.validation.fault import Invalid

Breaks = Callable[[Record | Invalid], list[str]]

PTENGINE = Ptengine()


class Plan(str, enum.Enum):  # noqa: UP042  # the form whose `str()` is the member's name
    """A text that is a member of an enumeration."""

    FREE = "free"


class Level(int, enum.Enum):
    """An integer that is a member of an enumeration."""

    LOW = 1


def row(found: Record | Invalid) -> dict[str, str]:
    """Give names and values of what must be a valid record, as the request joins them."""
    assert isinstance(found, Record), found
    values = json.loads(found.body)
    assert len(values) == len(found.group)
    return dict(zip(found.group, values, strict=True))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("yes", "yes"),
        (" padded ", " padded "),
        ("", ""),
        (None, ""),
        (0, "0"),
        (-7, "-7"),
        (2**70, "1180591620717411303424"),
        (1.5, "1.5"),
        (14.0, "14.0"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (-1.5e-9, "-0.0000000015"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-8"), "0.00000001"),
        (True, "true"),
        (False, "false"),
        (date(2023, 1, 2), "2023-01-02"),
        (datetime(2023, 1, 2, 3, 4, 5), "2023-01-02T03:04:05"),
        (datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC), "2023-01-02T03:04:05+00:00"),
        (time(3, 4), "03:04:00"),
        (Plan.FREE, "free"),
        (Level.LOW, "1"),
    ],
    ids=repr,
)
def test_a_value_goes_out_as_text(value: object, text: str) -> None:
    """Text stays, numbers are written in full without an exponent, and None is an empty value (P5, P6)."""
    assert row(PTENGINE.prepare_value({"user_id": "u", "plan": value})) == {"user_id": "u", "plan": text}


@pytest.mark.parametrize(
    ("written", "text"),
    [("1e22", "1" + 22 * "0"), ("1e-7", "0.0000001"), ("14.0", "14.0"), ("null", ""), ("true", "true")],
)
def test_a_value_of_a_json_text_goes_out_alike(written: str, text: str) -> None:
    """JSON's numbers, null and booleans become the same text as Python's (P6)."""
    found = PTENGINE.prepare_json(f'{{"user_id": 5, "plan": {written}}}'.encode())

    assert row(found) == {"user_id": "5", "plan": text}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 1},
        [],
        ["yes"],
        ("yes",),
        {"yes"},
        b"yes",
        bytearray(b"yes"),
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        timedelta(1),
        pytest.param(object(), id="object()"),
    ],
    ids=repr,
)
def test_a_value_without_a_form_as_text_is_refused(breaks: Breaks, value: object) -> None:
    """Objects, lists, bytes, NaN and infinities are refused, not written somehow (P6)."""
    assert breaks(PTENGINE.prepare_value({"user_id": "u", "plan": value})) == ["P6 $.plan"]


@pytest.mark.parametrize("character", ["a", "日", "😀", "\u0301"])
def test_the_limits_count_characters_not_bytes(breaks: Breaks, character: str) -> None:
    """128 characters of a value and 50 of a name go out whole; one more is refused, and nothing is cut (P3, P4)."""
    longest = {"user_id": character * 128, character * 50: character * 128}

    assert row(PTENGINE.prepare_value(longest)) == longest
    assert row(PTENGINE.prepare_json(json.dumps(longest).encode())) == longest
    assert row(PTENGINE.prepare_cells(tuple(longest), list(longest.values()))) == longest
    name = character * 51
    assert breaks(PTENGINE.prepare_value({"user_id": "u", "a": character * 129})) == ["P4 $.a"]
    assert breaks(PTENGINE.prepare_value({"user_id": character * 129})) == ["P4 $.user_id"]
    assert breaks(PTENGINE.prepare_value({"user_id": "u", name: ""})) == [f"P3 $.{name}"]


@pytest.mark.parametrize(
    "value",
    [10**128, -(10**127), 10**5000, 1e-128, 1e200, Decimal("1E+999999999999999999"), Decimal("1E-999999999999999999")],
    ids=["129", "-128", "5000", "1e-128", "1e200", "huge", "tiny"],
)
def test_a_number_too_long_as_text_is_refused(breaks: Breaks, value: object) -> None:
    """A number of over 128 characters is refused before it fills the memory (P4)."""
    assert breaks(PTENGINE.prepare_value({"user_id": "u", "a": value})) == ["P4 $.a"]


@pytest.mark.parametrize("value", [10**127, -(10**126), 1e-120], ids=str)
def test_a_long_number_is_sent_in_full(value: float) -> None:
    """A number of up to 128 characters goes out with all of them (P6)."""
    text = row(PTENGINE.prepare_value({"user_id": "u", "a": value}))["a"]

    assert Decimal(text) == Decimal(repr(value))
    assert len(text) <= 128


def test_at_most_fifty_fields_are_sent(breaks: Breaks) -> None:
    """`user_id` is one of the 50 (P3)."""
    fields = {"user_id": "u"} | {f"f{number}": "" for number in range(49)}

    assert row(PTENGINE.prepare_value(fields)) == fields
    assert breaks(PTENGINE.prepare_value({**fields, "one more": ""})) == ["P3 $"]


def test_a_name_must_not_be_empty(breaks: Breaks) -> None:
    """A column without a name has none to be sent under (P3)."""
    assert breaks(PTENGINE.prepare_value({"user_id": "u", "": "x"})) == ["P3 $."]


@pytest.mark.parametrize("key", [1, None, True, 1.5, ("a",), b"a"], ids=repr)
def test_a_name_must_be_text(breaks: Breaks, key: object) -> None:
    """A key of another kind is refused, and not written into the path (P3)."""
    assert breaks(PTENGINE.prepare_value({"user_id": "u", key: "x"})) == ["P3 $"]


def test_a_name_that_utf_8_cannot_carry_is_refused(breaks: Breaks) -> None:
    """Half of a surrogate pair in a name is a reject of its own, and doesn't break the request later (P1)."""
    assert breaks(PTENGINE.prepare_value({"user_id": "u", "\ud800": "x"})) == ["P1 $"]
    assert breaks(PTENGINE.prepare_cells(("user_id", "\ud800"), ["u", "x"])) == ["P1 $"]


@pytest.mark.parametrize("user_id", ["u", " u ", "日本", 0, -5, 2**63, "x" * 128])
def test_a_user_is_text_or_an_integer(user_id: str | int) -> None:
    """A user's id goes out as it came, an integer by its digits; the record carries it for P8 (P7)."""
    found = PTENGINE.prepare_value({"user_id": user_id})

    assert row(found) == {"user_id": str(user_id)}
    assert isinstance(found, Record)
    assert found.user == str(user_id)


@pytest.mark.parametrize(
    "user_id", ["", " ", "\u3000\t", None, True, False, 1.0, 1.5, Decimal(1), date(2023, 1, 1), [], {}, b"u"], ids=repr
)
def test_what_names_no_user_is_refused(breaks: Breaks, user_id: object) -> None:
    """Blank, null, boolean or fractional ids name nobody (P7)."""
    assert breaks(PTENGINE.prepare_value({"user_id": user_id, "a": "b"})) == ["P7 $.user_id"]


def test_a_user_must_be_named(breaks: Breaks) -> None:
    """Without `user_id` nothing is sent (P3)."""
    assert breaks(PTENGINE.prepare_value({"plan": "free"})) == ["P3 $.user_id"]
    assert breaks(PTENGINE.prepare_cells((), [])) == ["P3 $.user_id"]
    assert breaks(PTENGINE.prepare_cells(("user_id",), [" "])) == ["P7 $.user_id"]


def test_cells_are_texts_as_they_are() -> None:
    """A CSV's cells go out untouched: `1e2`, `NULL` and `true` are what somebody wrote (P6)."""
    cells = {"b": "NULL", "user_id": "007", "a": "1e2", "c": ""}

    assert row(PTENGINE.prepare_cells(tuple(cells), list(cells.values()))) == cells


def test_a_missing_key_and_an_empty_value_differ() -> None:
    """Only the exact same keys share a request, in whatever order they came: nothing is filled in (P5)."""
    both = PTENGINE.prepare_value({"a": "1", "user_id": "u", "b": None})
    turned = PTENGINE.prepare_json(b'{"b": "", "user_id": "u", "a": 1}')
    less = PTENGINE.prepare_value({"user_id": "u", "a": "1"})

    assert isinstance(both, Record)
    assert isinstance(turned, Record)
    assert isinstance(less, Record)
    assert both.group == turned.group == ("user_id", "a", "b")
    assert both.body == turned.body == b'["u","1",""]'
    assert less.group == ("user_id", "a")


@settings(deadline=None)
@given(
    st.dictionaries(st.text(min_size=1, max_size=50), st.text(max_size=128), max_size=12),
    st.text(min_size=1, max_size=128).filter(str.strip),
    st.randoms(use_true_random=False),
)
def test_texts_go_out_as_they_came(fields: dict[str, str], user_id: str, random: Any) -> None:
    """Any text within the limits arrives unaltered under its own name, in whatever order the keys stood (P2, P5)."""
    record = {**fields, "user_id": user_id}
    keys = list(record)
    random.shuffle(keys)
    found = PTENGINE.prepare_value({key: record[key] for key in keys})

    assert row(found) == record
    assert found == PTENGINE.prepare_value(record)


def test_users_are_compared_with_the_names_of_their_own_attributes() -> None:
    """Beside users of other names as alone, and by a table's row as by a value of its own."""
    people = [{"user_id": "u", "plan": "x"}, {"user_id": "v", "age": "x"}, {"user_id": "w"}]
    records = [one for person in people if isinstance(one := PTENGINE.prepare_value(person), Record)]

    users, contents = PTENGINE.compared(records)

    assert list(users) == ["u", "v", "w"]
    assert list(contents) == [PTENGINE.compared([record]).contents[0] for record in records]
    assert len(set(contents)) == 3
    table = PTENGINE.prepare_table(Table(("plan", "user_id"), [["x"], ["u"]], 1, texts=True), [["x", "u"]], range(1))
    assert PTENGINE.compared(table.records) == Compared(["u"], [contents[0]])
