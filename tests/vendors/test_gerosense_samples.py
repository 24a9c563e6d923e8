"""GeroSense's samples: their fields (G5), units and values (G8)."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.validation.fault import Invalid
from airflow_provider_userdata.vendors.validation.timestamps import parse
from tests.doubles import Float, Int, table_of_rows

Sample = Callable[..., dict[str, Any]]
Sent = Callable[[Record | Invalid], Any]
Breaks = Callable[[Record | Invalid], list[str]]


class Text(str):
    """A text of another type, such as NumPy's."""

    __slots__ = ()


class Unit(str, enum.Enum):  # noqa: UP042  # the form whose `str()` is the member's name
    """A text that is a member of an enumeration."""

    COUNT = "count"


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("count", 1),
        ("count", 0.001),
        ("count", 30000),
        ("count", 30000.0),
        ("count/min", 300),
        ("count/min", 299.99),
        ("count/s", 31000),
        ("count/s", 1e300),
        ("count/s", 2**64),
        ("count/s", 10**400),
    ],
)
def test_a_value_up_to_its_units_limit_is_sent(
    gerosense: GeroSense, sample: Sample, sent: Sent, unit: str, value: float
) -> None:
    """30000 a count and 300 a minute are the limits, and no limit is invented for a second (G8)."""
    record = sample(unit=unit, value=value)

    assert sent(gerosense.prepare_value(record)) == record
    assert sent(gerosense.prepare_json(json.dumps(record).encode())) == record


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        *((unit, value) for unit in ("count", "count/min", "count/s") for value in (0, -1, -0.0, 0.0, -1e300)),
        *((unit, value) for unit in ("count", "count/min", "count/s") for value in (True, False, "14", "", None)),
        *((unit, value) for unit in ("count", "count/min", "count/s") for value in ([14], {"value": 14}, [])),
        ("count", 30000.001),
        ("count", 30001),
        ("count", 10**400),
        ("count/min", 300.1),
        ("count/min", 301),
    ],
)
def test_a_value_that_breaks_its_unit_is_refused(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, unit: str, value: Any
) -> None:
    """Nothing at or below 0, above its unit's limit, or other than a number is sent (G8)."""
    record = sample(unit=unit, value=value)

    assert breaks(gerosense.prepare_value(record)) == ["G8 $.value"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == ["G8 $.value"]


@pytest.mark.parametrize("unit", ["count", "count/min", "count/s"])
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), float("-inf"), *map(Decimal, ("NaN", "sNaN", "Infinity", "-Infinity", "1E+400"))],
    ids=str,
)
def test_what_is_not_finite_is_no_number(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, unit: str, value: float | Decimal
) -> None:
    """NaN and infinities are refused for every unit, the unlimited one too (G8)."""
    assert breaks(gerosense.prepare_value(sample(unit=unit, value=value))) == ["G8 $.value"]


@pytest.mark.parametrize(
    ("written", "goes_out"),
    [
        ("14", "14"),
        ("14.0", "14.0"),
        ("1e2", "100.0"),
        ("0.1", "0.1"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_a_value_keeps_its_kind(gerosense: GeroSense, sample: Sample, written: str, goes_out: str) -> None:
    """An integer goes out as an integer and a fraction as a fraction, whichever way the sample came in."""
    record = sample(unit="count/s", value=0)
    text = json.dumps(record).replace('"value": 0', f'"value": {written}').encode()
    cells = {**record, "value": written}

    for found in (
        gerosense.prepare_json(text),
        gerosense.prepare_value(json.loads(text)),
        gerosense.prepare_cells(tuple(cells), list(cells.values())),
    ):
        assert isinstance(found, Record)
        assert found.body.endswith(b'"value":' + goes_out.encode() + b"}")


@pytest.mark.parametrize(
    ("value", "goes_out"),
    [
        (Decimal(14), b"14"),
        (Decimal("14.5"), b"14.5"),
        (Decimal("1E+2"), b"100.0"),
        (Int(14), b"14"),
        (Float(14.5), b"14.5"),
    ],
)
def test_pythons_other_numbers_are_numbers(gerosense: GeroSense, sample: Sample, value: Any, goes_out: bytes) -> None:
    """A Decimal of a query and a number of a subclass go out with their value (G8)."""
    found = gerosense.prepare_value(sample(value=value))

    assert isinstance(found, Record)
    assert found.body.endswith(b'"value":' + goes_out + b"}")


def test_texts_of_subclasses_are_texts(gerosense: GeroSense, sample: Sample, sent: Sent) -> None:
    """A text of NumPy's or a member of an enumeration goes out as the text that it is, keys too."""
    record: dict[Any, Any] = {}
    for key, value in sample().items():
        record[Text(key)] = Text(value) if isinstance(value, str) else value

    assert sent(gerosense.prepare_value({**record, "unit": Unit.COUNT})) == sample()


@pytest.mark.parametrize("name", ["device_version", "end_date"])
def test_an_absent_optional_field_is_left_out(gerosense: GeroSense, sample: Sample, sent: Sent, name: str) -> None:
    """A missing key, null and an empty cell all mean absent, and nothing is sent as null (G5)."""
    without = {key: value for key, value in sample().items() if key != name}
    texts = {key: str(value) for key, value in without.items()}

    assert sent(gerosense.prepare_value(without)) == without
    assert sent(gerosense.prepare_value({**without, name: None})) == without
    assert sent(gerosense.prepare_json(json.dumps({**without, name: None}).encode())) == without
    assert sent(gerosense.prepare_cells(tuple(texts), ["" if key == name else texts[key] for key in texts])) == without


@pytest.mark.parametrize("name", ["device_name", "start_date", "unit", "value"])
@pytest.mark.parametrize("absence", ["missing", "null"])
def test_a_required_field_must_be_there(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, name: str, absence: str
) -> None:
    """Name, start, unit and value are required, and null is no value (G5, G6, G8)."""
    rule = {"device_name": "G5", "start_date": "G6"}.get(name, "G8")
    record = sample(**{name: None})
    if absence == "missing":
        del record[name]

    assert breaks(gerosense.prepare_value(record)) == [f"{rule} $.{name}"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == [f"{rule} $.{name}"]


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000", "\u00a0"])
def test_a_blank_device_name_is_refused(gerosense: GeroSense, sample: Sample, breaks: Breaks, blank: str) -> None:
    """A name of blanks alone, Japanese ones too, names no device (G5)."""
    record = sample(device_name=blank)

    assert breaks(gerosense.prepare_value(record)) == ["G5 $.device_name"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == ["G5 $.device_name"]


@pytest.mark.parametrize("key", ["note", "Value", "device", "", "user_id", "数"])
def test_a_key_that_the_page_does_not_name_is_refused(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, key: str
) -> None:
    """An unknown key is a rejection, not silently dropped (G5)."""
    record = {**sample(), key: None}

    assert breaks(gerosense.prepare_value(record)) == [f"G5 $.{key}"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == [f"G5 $.{key}"]


@pytest.mark.parametrize("unit", ["Count", "count/h", "", " count", "steps", 1, True, ["count"], {}])
def test_another_unit_is_refused(gerosense: GeroSense, sample: Sample, breaks: Breaks, unit: object) -> None:
    """The three units of the page are all there are (G8)."""
    record = sample(unit=unit)

    assert breaks(gerosense.prepare_value(record)) == ["G8 $.unit"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == ["G8 $.unit"]


@pytest.mark.parametrize(
    "cell", ["+14", "014", " 14", "14 ", "14,5", "\uff11\uff14", "NaN", "0x0e", "", "1e400", "9" * 5000]
)
def test_a_cell_that_json_would_not_write_as_a_number_is_text(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, cell: str
) -> None:
    """A CSV's value is a number only in a number's form, and nobody guesses at the rest (G8)."""
    cells = {**{key: str(value) for key, value in sample().items()}, "value": cell}

    assert breaks(gerosense.prepare_cells(tuple(cells), list(cells.values()))) == ["G8 $.value"]


@settings(deadline=None)
@given(st.text(min_size=1).filter(str.strip), st.text())
def test_texts_go_out_as_they_came(name: str, version: str) -> None:
    """Names and versions are never stripped, folded or cut, whichever way they came in."""
    record = {"device_name": name, "device_version": version, "start_date": "2023-11-01T08:04Z", "unit": "count"}
    vendor = GeroSense("bpm")

    for found in (
        vendor.prepare_value({**record, "value": 1}),
        vendor.prepare_json(json.dumps({**record, "value": 1}).encode()),
        vendor.prepare_cells((*record, "device_version", "value"), [*record.values(), version or "1", "1"]),
    ):
        assert isinstance(found, Record)
        body = json.loads(found.body)
        assert body["device_name"] == name
        assert body["device_version"] in (version, version or "1")
        assert body["start_date"] == "2023-11-01T08:04Z"


@pytest.mark.parametrize(
    "odd",
    [
        '"unit": "count/min", "unit": "count"',
        '"unit": "count", "end_date": null',
        '"unit": "count", "end_date": null, "device_version": "1", "end_date": null',
        '"unit": "count", "device_version": null, "device_version": "\\"1\\""',
        '"\\u0075nit": "count", "unit": "count"',
    ],
)
def test_no_field_goes_out_twice_or_empty(odd: str) -> None:
    """A reader at the vendor may take the first of two; what is checked, and sent, is one."""
    plain = b'{"device_name": "\\"ring\\"", "start_date": "2023-11-01T08:04:51Z", "value": 1, "unit": "count"}'
    texts = [plain, f'{{"device_name": "ring", "start_date": "2023-11-01T08:04:51Z", "value": 1.50, {odd}}}'.encode()]

    records, invalid = GeroSense("steps").prepare_texts(texts, range(2))

    assert not invalid
    names = [name for name, _ in json.loads(records[1].body, object_pairs_hook=list)]
    assert len(names) == len(set(names))
    assert "end_date" not in names
    assert json.loads(records[1].body)["unit"] == "count"


@settings(deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_each_sample_is_compared_as_it_goes_out(names: list[str]) -> None:
    """With its day, and whole, as a line, whatever ends a line in its texts."""
    vendor = GeroSense("steps")
    samples = [{"device_name": f"{name}\r\n", "start_date": "2023-11-01T08:04Z", "unit": "count"} for name in names]
    records = [vendor.prepare_value({**sample, "value": value}) for value, sample in enumerate(samples, start=1)]
    valid = [one for one in records if isinstance(one, Record)]

    lines = [one.body + b"\n" for one in valid]
    assert vendor.compared(valid) == ([b"2023-11-01"] * len(names), lines)
    assert vendor.compared([]) == ([], [])


@settings(deadline=None)
@given(st.lists(st.integers(0, 4000), max_size=12))
def test_each_sample_is_compared_with_its_day(minutes: list[int]) -> None:
    """However many days there are, in any order."""
    vendor, first = GeroSense("steps"), datetime(2023, 11, 1, tzinfo=UTC)
    starts = [first + timedelta(minutes=minute) for minute in minutes]
    found = [vendor.prepare_value({"device_name": "a", "start_date": at, "unit": "count", "value": 1}) for at in starts]

    partitions, _ = vendor.compared([one for one in found if isinstance(one, Record)])

    assert list(partitions) == [at.date().isoformat().encode() for at in starts]


STARTS = st.builds(
    lambda minute, seconds, offset: f"2023-11-01T{minute // 60:02}:{minute % 60:02}{seconds}{offset}",
    st.integers(0, 1439),
    st.sampled_from(["", ":00", ":59", ":59.5", ":59.25"]),
    st.sampled_from(["Z", "+09:00", "+0900", "-03", "+00:00"]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ring", "watch"]), STARTS), max_size=12))
def test_the_latest_start_of_each_device_is_among_the_moments(samples: list[tuple[str, str]]) -> None:
    """In whatever order they come, and in whatever form and offset their timestamps are written."""
    vendor = GeroSense("steps")
    records = [
        vendor.prepare_value({"device_name": device, "start_date": start, "unit": "count", "value": 1})
        for device, start in samples
    ]

    moments = list(vendor.moments([one for one in records if isinstance(one, Record)]))

    for device, start in samples:
        latest = max(moment.instant for moment in moments if moment.device == device)
        assert latest >= parse(start)
    assert {(moment.device, moment.text) for moment in moments} <= set(samples)
    assert all(moment.instant == parse(moment.text) for moment in moments)


@pytest.mark.parametrize(
    "odd", [float("nan"), Decimal("NaN"), np.float64("nan"), float("inf"), -1, True, "7", 10**400, None]
)
@pytest.mark.parametrize("first", [True, False])
def test_an_odd_value_hides_no_other(odd: Any, *, first: bool) -> None:
    """In a table of values, one that can't be compared leaves the limits of those beside it (G8)."""
    values = [odd, 500.0, 72] if first else [72, 500.0, odd]
    table = table_of_rows(
        ("device_name", "start_date", "unit", "value"),
        [["Watch", "2023-11-01T08:04:51Z", "count/min", value] for value in values],
    )

    checked = GeroSense("bpm").prepare_table(table, values, range(3))

    assert [record.row for record in checked.records] == [72]
