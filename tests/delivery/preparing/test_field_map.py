"""`fields` takes a vendor's fields from columns, nested records and constants, converted where its author says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.preparing import Column, Constant, FieldMap, Number, Preparer, Timestamp
from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TextRecord, TextRow, ValueRow
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.validation import Invalid

HEALTH = {
    "device_name": "source",
    "start_date": Timestamp("startDate", "%Y-%m-%d %H:%M:%S %z"),
    "unit": Constant("count/min"),
    "value": Column("hr.value"),
}
EXPORTED = {"source": "Watch", "startDate": "2023-11-01 08:04:51 +0400", "hr": {"value": 72}, "secret": "geheim"}
SENT = b'{"unit":"count/min","start_date":"2023-11-01T08:04:51+04:00","device_name":"Watch","value":72}'


def prepared(fields: Any, form: RowFormat, rows: list[Any], vendor: Any = None) -> list[Record | Invalid]:
    """Check rows, and return each one's record or faults, in their order."""
    checked = Preparer(vendor or GeroSense("bpm"), FieldMap(fields)).prepare(Chunk(form, rows), rows, range(len(rows)))
    found: dict[int, Any] = dict(checked.invalid)
    found.update((record.position, record) for record in checked.records)
    return [found[place] for place in range(len(rows))]


def body(record: Record | Invalid) -> Any:
    """Return what is sent of a record."""
    assert isinstance(record, Record), record
    return record.body


@pytest.mark.parametrize("rows", [[EXPORTED], [EXPORTED] * 300, [EXPORTED, EXPORTED | {"more": 1}]])
def test_each_word_takes_its_value(rows: list[Any]) -> None:
    """A constant, a nested value and a timestamp of another form are sent, and other columns are not."""
    bodies = [set(body(one).strip(b"{}").split(b",")) for one in prepared(HEALTH, RowFormat.OBJECTS, rows)]

    assert bodies == [set(SENT.strip(b"{}").split(b","))] * len(rows)


def test_json_lines_and_tables_take_the_same() -> None:
    """Whatever kind of source the values come from."""
    flat = HEALTH | {"value": Number("value")}
    names = ("source", "startDate", "value")
    cells = ["Watch", "2023-11-01 08:04:51 +0400", "72"]
    line = b'{"source": "Watch", "startDate": "2023-11-01 08:04:51 +0400", "value": "72"}\n'

    found = [
        *prepared(flat, RowFormat.CELLS, [TextRow(Header(names), cells)]),
        *prepared(flat, RowFormat.VALUES, [ValueRow(Header(names), tuple(cells))]),
        *prepared(flat, RowFormat.OBJECTS, [TextRecord(zip(names, cells, strict=True))]),
        *prepared(flat, RowFormat.JSON, [line]),
    ]

    assert len(set(map(body, found))) == 1


def test_a_value_that_does_not_fit_is_a_reject_among_others() -> None:
    """The rows beside it are sent, and the fault names the vendor's field and not the value (A7)."""
    bad = EXPORTED | {"startDate": "geheim"}

    found = prepared(HEALTH, RowFormat.OBJECTS, [EXPORTED, bad, EXPORTED])

    assert [type(one) for one in found] == [Record, Invalid, Record]
    assert isinstance(found[1], Invalid)
    assert [(fault.rule, fault.where) for fault in found[1].faults] == [("A7", ("start_date",))]
    assert "geheim" not in repr(found[1])


def test_what_a_row_lacks_is_absent() -> None:
    """A column or a nested value that is missing is a missing field, by the vendor's rule."""
    found = prepared(HEALTH, RowFormat.OBJECTS, [EXPORTED, {**EXPORTED, "hr": {}}, {**EXPORTED, "hr": None}])

    assert [type(one) for one in found] == [Record, Invalid, Invalid]


@pytest.mark.parametrize("missing", [None, pd.NaT, pd.NA, np.datetime64("NaT")])
def test_a_missing_time_is_not_read(missing: Any) -> None:
    """It stays absent where the field is optional, whatever a library calls it."""
    fields = HEALTH | {"end_date": Timestamp("endDate", "%Y-%m-%d %H:%M:%S %z")}

    found = prepared(fields, RowFormat.OBJECTS, [EXPORTED | {"endDate": missing}])

    assert b"end_date" not in body(found[0])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("76", b'["u","76"]'),
        (" 7.50 ", b'["u","7.5"]'),
        ("12345678901234567890.5", b'["u","12345678901234567890.5"]'),
        ("", b'["u",""]'),
    ],
)
def test_a_number_keeps_its_value(text: str, sent: bytes) -> None:
    """Also one with more digits than a float has; an empty text stays one."""
    fields = {"user_id": Constant("u"), "n": Number("n")}

    assert body(prepared(fields, RowFormat.OBJECTS, [{"n": text}], Ptengine())[0]) == sent


def test_a_text_that_is_no_number_is_a_reject() -> None:
    """It isn't sent as a text instead."""
    fields = {"user_id": Constant("u"), "n": Number("n")}

    (found,) = prepared(fields, RowFormat.OBJECTS, [{"n": "n/a"}], Ptengine())

    assert isinstance(found, Invalid)
    assert [(fault.rule, fault.where) for fault in found.faults] == [("A7", ("n",))]


def test_a_list_is_indexed() -> None:
    """A path may go through a list by its index."""
    fields = {"user_id": "id", "town": Column("homes.1.town")}
    row = {"id": "u", "homes": [{"town": "Ulm"}, {"town": "Bonn"}]}

    assert body(prepared(fields, RowFormat.OBJECTS, [row], Ptengine())[0]) == b'["u","Bonn"]'


NESTED = st.recursive(
    st.none() | st.integers() | st.sampled_from(["7", "2023-11-01 08:04", "", "x"]),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=3) | st.lists(inner, max_size=2),
)
WORDS = st.sampled_from(
    [
        *("a", "b", "c"),
        *(Column("a.b"), Column("a.0.b"), Column("b")),
        *(Constant(7), Constant(None)),
        *(Number("a"), Number(Column("a.b"))),
        *(Timestamp("a", timezone="Asia/Tokyo"), Timestamp(Column("b.a"), "epoch_s")),
    ]
)


@given(
    fields=st.dictionaries(st.sampled_from(["user_id", "x", "y"]), WORDS, min_size=1),
    rows=st.lists(st.fixed_dictionaries({"a": NESTED, "b": NESTED}, optional={"c": NESTED}), min_size=1, max_size=4),
)
def test_many_rows_are_taken_as_each_alone(fields: Any, rows: list[Any]) -> None:
    """Rows together give what each gives alone, whatever they hold."""
    alone = [prepared(fields, RowFormat.OBJECTS, [row], Ptengine())[0] for row in rows]

    found = prepared(fields, RowFormat.OBJECTS, rows, Ptengine())

    assert [getattr(one, "body", one) for one in found] == [getattr(one, "body", one) for one in alone]


@pytest.mark.parametrize(
    "word",
    [
        *("", Timestamp(""), Column(""), Column("a..b"), Column(7), Number(7), Timestamp(None), 7, None),  # type: ignore[arg-type]
        *(Timestamp("a", "yesterday"), Timestamp("a", timezone="Mars/Base"), Timestamp("a", timezone="../x")),
        Timestamp("a", timezone=7),  # type: ignore[arg-type]
    ],
)
def test_a_word_that_cannot_be_is_refused(word: Any) -> None:
    """With what would do, before anything is read."""
    with pytest.raises(ValueError, match=r"Column|column|Timestamp"):
        FieldMap({"value": word})
