"""Rejected rows are kept whole in a line of JSON, also what JSON can't hold."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.source import Header, TextRow, Unreadable
from airflow_provider_userdata.delivery.recording.lossless_json import row_json
from airflow_provider_userdata.vendors.contract import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia
from airflow_provider_userdata.vendors.validation.fault import Invalid
from tests.doubles import Odd


class Colour(StrEnum):
    """An enumeration of texts."""

    RED = "red"


class Size(IntEnum):
    """An enumeration of numbers."""

    SMALL = 1


class Gone:
    """An object that ends the process where somebody asks for its text."""

    def __str__(self) -> str:
        raise SystemExit("geheim")


class Nowhere(tzinfo):
    """A time zone that doesn't know its offset."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Raise."""
        return timedelta(1 // 0)

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> str:
        """Give a name."""
        return "nowhere"


class Broken(dict[str, int]):
    """A record that can't be walked through."""

    def items(self) -> Any:
        """Raise."""
        raise KeyboardInterrupt("geheim")


def kept(row: object) -> Any:
    """Give what the rejects file holds, as its reader sees it."""
    text = bytes(row_json(row)[0])
    assert b"\n" not in text
    assert b"\r" not in text
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize(
    ("row", "form"),
    [
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        ({"value": math.nan}, {"value": {"$float": "nan"}}),
        ({"value": -math.inf}, {"value": {"$float": "-inf"}}),
        ({"value": Decimal("1.10")}, {"value": {"$decimal": "1.10"}}),
        ({"value": Decimal("sNaN")}, {"value": {"$decimal": "sNaN"}}),
        ({"raw": b"\x00\xff"}, {"raw": {"$base64": "AP8="}}),
        ({"raw": bytearray(b"a")}, {"raw": {"$base64": "YQ=="}}),
        ({"at": datetime(2026, 1, 2, 3, tzinfo=UTC)}, {"at": {"$time": "2026-01-02T03:00:00+00:00"}}),
        ({"at": date(2026, 1, 2)}, {"at": {"$time": "2026-01-02"}}),
        ({"at": time(3, 4)}, {"at": {"$time": "03:04:00"}}),
        ((1, {2}), [1, {"$set": [2]}]),
        ({1: "a", None: "b"}, {"$items": [[1, "a"], [None, "b"]]}),
        ({"$decimal": "1"}, {"$items": [["$decimal", "1"]]}),
        ({1: "a", "1": "b"}, {"$items": [[1, "a"], ["1", "b"]]}),
        ({"value": 10**30}, {"value": 10**30}),
        ({"value": 16**5000}, {"value": {"$int": hex(16**5000)}}),
        ("\ud800", {"$surrogates": "7aCA"}),
        ({"a\udcff": "\udcff"}, {"$items": [[{"$surrogates": "Ye2zvw=="}, {"$surrogates": "7bO/"}]]}),
        (Colour.RED, "red"),
        ({Colour.RED: Size.SMALL}, {"red": 1}),
        (1 + 2j, {"$complex": "(1+2j)"}),
        ({"odd": Odd()}, {"odd": {"$Odd": "has no text: RuntimeError"}}),
        (Unreadable(["a", b"\xff"], "too many cells"), ["a", {"$base64": "/w=="}]),
        (Unreadable(b"\xff", "not UTF-8"), {"$base64": "/w=="}),
        (TextRow(Header(("a", "b")), ["1", "\udcff"]), {"a": "1", "b": {"$base64": "/w=="}}),
        (Unreadable(["1", "caf\udce9"], "has 2 cells"), ["1", {"$base64": "Y2Fm6Q=="}]),
        (Unreadable(["\ud800"], "is of no file"), [{"$surrogates": "7aCA"}]),
        ({"n": np.int64(5), "x": np.float32(1.5)}, {"n": 5, "x": 1.5}),
        ({"at": np.datetime64("2026-01-02T03:04:05")}, {"at": {"$time": "2026-01-02T03:04:05"}}),
        ([pd.NaT, pd.NA], [{"$NaTType": "NaT"}, {"$NAType": "<NA>"}]),
        (UUID(int=1), {"$UUID": str(UUID(int=1))}),
        ({"at": datetime(2026, 1, 2, tzinfo=Nowhere())}, {"at": {"$datetime": "has no text: ZeroDivisionError"}}),
        ({"gone": Gone()}, {"gone": {"$Gone": "has no text: SystemExit"}}),
        (Broken(a=1), {"$Broken": "has no text: KeyboardInterrupt"}),
        ({Gone(): 1}, {"$items": [[{"$Gone": "has no text: SystemExit"}, 1]]}),
    ],
)
def test_python_values_are_kept_whole(row: object, form: object) -> None:
    """What JSON has stays as it is; anything else says what it was."""
    assert kept(row) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a":\r\n 1}', {"a": 1}),
        (b'{"a": NaN}', {"$text": '{"a": NaN}'}),
        (b"{broken", {"$text": "{broken"}),
        (b"", {"$text": ""}),
        (b'"\xff"', {"$base64": "Iv8i"}),
        (b'"\\ud800"', {"$text": '"\\ud800"'}),
        (b'{"a": 1} {"b": 2}', {"$text": '{"a": 1} {"b": 2}'}),
    ],
)
def test_lines_of_text_are_kept_as_they_stood(text: bytes, form: object) -> None:
    """A JSON text stays that text; what is none is kept as text, or as bytes. A line's end is none of it."""
    assert kept(text) == kept(text + b"\n") == kept(text + b"\r\n") == form


def test_a_json_text_keeps_its_digits() -> None:
    """Numbers of a JSON text are not rewritten."""
    assert bytes(row_json(b'{"a": 1.10, "b": 100000000000000000000000000000001}')[0]) == (
        b'{"a": 1.10, "b": 100000000000000000000000000000001}'
    )


@pytest.mark.parametrize("depth", [150, 1_000, 100_000])
def test_deep_nesting_is_survived(depth: int) -> None:
    """A value or text of any depth has a form."""
    value: Any = "geheim"
    for _ in range(depth):
        value = [value]

    assert bytes(row_json(value)[0]).startswith(b"[[[")
    assert bytes(row_json(b"[" * depth + b"]" * depth)[0]).startswith((b"[", b'{"$text"'))
    assert bytes(row_json({"a": value})[0]).startswith(b'{"a":[[[')


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs", "Lu"]))
    | st.binary()
    | st.decimals()
    | st.datetimes(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(categories=["Cs", "Ll"])) | st.integers(), inner)
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_any_value_becomes_a_line(row: object) -> None:
    """Whatever a row holds, its line is JSON in UTF-8."""
    kept(row)


@given(st.binary())
def test_any_bytes_become_a_line(text: bytes) -> None:
    """Whatever stood in a file, its line is JSON in UTF-8."""
    kept(text)


TEXTS: list[tuple[Vendor, bytes]] = [
    (
        GeroSense("steps"),
        b'{"device_name":"ring \\u00e9","start_date":"2024-05-01T08:00:00Z","unit":"count","value":1.5e2}',
    ),
    (Ptengine(), b'{"user_id":"u","tier":"gold","note":"\xc3\xa9 \\n"}'),
    (Thymia("mood"), b'{"user":{"userLabel":"u"},"data":{"mood":[1,null,true,{"k":-0.5}],"note":"\xc3\xa9"}}'),
]
EDITS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from(b'{}[]",:\\019.eE+-tfnu \r\xc3\xff\x00')), max_size=4)


@given(st.sampled_from(TEXTS), EDITS, st.booleans())
def test_a_text_in_which_a_fault_was_found_is_kept_as_it_stood(
    given_text: tuple[Vendor, bytes], edits: list[tuple[int, int]], adds: bool
) -> None:
    """Whoever finds a fault within it has read it whole, so that reading it once more would find nothing."""
    vendor, text = given_text
    for place, byte in edits:
        at = place % (len(text) + 1)
        text = text[:at] + bytes([byte]) + text[at + (not adds) :]

    found = vendor.prepare_json(text + b"\n")

    if isinstance(found, Invalid) and found.faults[0].path != "$":
        assert row_json(text + b"\n", was_read=True) == row_json(text + b"\n")
