"""When GeroSense's samples were taken: forms (G7), order (G6) and the time zone that an author names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.validation.fault import Invalid

Sample = Callable[..., dict[str, Any]]
Sent = Callable[[Record | Invalid], Any]
Breaks = Callable[[Record | Invalid], list[str]]

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-01T08:04:51.000+04:00",
        "2023-11-01T08:04:51Z",
        "2023-11-01T08:04Z",
        "2023-11-01T08:04+05:45",
        "2023-11-01T08:04:51-0330",
        "2023-11-01T08:04:51+09",
        "2023-11-01T08:04:51.123456789012-12:45",
        "2024-02-29T00:00:00+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
@pytest.mark.parametrize("zone", [None, TOKYO])
def test_a_timestamp_with_an_offset_goes_out_byte_for_byte(
    sample: Sample, sent: Sent, text: str, zone: ZoneInfo | None
) -> None:
    """Odd offsets, `Z` and fractions of any length are checked and never rewritten, a named zone or not (G7)."""
    vendor = GeroSense("steps", zone)
    record = sample(start_date=text, end_date=text)

    assert sent(vendor.prepare_json(json.dumps(record).encode())) == record
    assert sent(vendor.prepare_value(record)) == record


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-01T08:04:51",
        "2023-11-01",
        "2023-11-01 08:04:51Z",
        "20231101T080451Z",
        "2023-W44-3T08:04:51Z",
        "2023-305T08:04:51Z",
        "2023-02-29T08:04:51Z",
        "2023-11-01T24:00:00Z",
        "2023-11-01T08:04:60Z",
        "2023-11-01t08:04:51Z",
        "2023-11-01T08:04:51z",
        "2023-11-01T08:04:51+24:00",
        " 2023-11-01T08:04:51Z",
        "\uff12\uff10\uff12\uff13-11-01T08:04:51Z",
        "",
        "now",
        "1698811491",
    ],
)
@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_a_timestamp_outside_the_profile_is_refused(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, name: str, text: str
) -> None:
    """No offset, a date alone, the other forms of ISO 8601 and what no calendar has are refused (G7)."""
    record = sample(**{name: text})

    assert breaks(gerosense.prepare_value(record)) == [f"G7 $.{name}"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == [f"G7 $.{name}"]


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize("value", [1698811491, 1.5, True, [], {}, date(2023, 11, 1), b"2023-11-01T08:04:51Z"], ids=repr)
def test_a_timestamp_is_text_or_a_datetime(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, name: str, value: object
) -> None:
    """Numbers, dates without a time and bytes are no timestamps (G6)."""
    assert breaks(gerosense.prepare_value(sample(**{name: value}))) == [f"G6 $.{name}"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2023-11-01T08:00:00Z", "2023-11-01T08:00:00Z"),
        ("2023-11-01T08:00:00Z", "2023-11-01T17:00:00+09:00"),
        ("2023-11-01T17:00:00+09:00", "2023-11-01T08:00Z"),
        ("2023-11-01T09:00:00+04:00", "2023-11-01T06:00:00Z"),
        ("2023-12-31T23:59:59.999999999Z", "2024-01-01T00:00:00Z"),
    ],
)
def test_an_end_at_or_after_the_start_is_valid(
    gerosense: GeroSense, sample: Sample, sent: Sent, start: str, end: str
) -> None:
    """Instants are compared, not text: an end that looks earlier may be later, and equal is legal (G6)."""
    record = sample(start_date=start, end_date=end)

    assert sent(gerosense.prepare_value(record)) == record
    assert sent(gerosense.prepare_json(json.dumps(record).encode())) == record


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2023-11-01T08:00:01Z", "2023-11-01T08:00:00Z"),
        ("2023-11-01T08:00:00Z", "2023-11-01T09:00:00+04:00"),
        ("2023-11-01T08:00:00.0000000002Z", "2023-11-01T08:00:00.0000000001Z"),
    ],
)
def test_an_end_before_the_start_is_refused(
    gerosense: GeroSense, sample: Sample, breaks: Breaks, start: str, end: str
) -> None:
    """An earlier end is refused across offsets and down to the last digit (G6)."""
    record = sample(start_date=start, end_date=end)

    assert breaks(gerosense.prepare_value(record)) == ["G6 $.end_date"]
    assert breaks(gerosense.prepare_json(json.dumps(record).encode())) == ["G6 $.end_date"]


@pytest.mark.parametrize(
    ("zone", "local", "goes_out"),
    [
        (TOKYO, "2023-11-01T08:04:51", "2023-11-01T08:04:51+09:00"),
        (TOKYO, "2023-11-01T08:04", "2023-11-01T08:04+09:00"),
        (NEW_YORK, "2023-07-01T12:00:00.5", "2023-07-01T12:00:00.5-04:00"),
        (NEW_YORK, "2023-12-01T12:00:00", "2023-12-01T12:00:00-05:00"),
        (NEW_YORK, "2023-11-05T01:30:00", "2023-11-05T01:30:00-04:00"),
    ],
)
def test_a_named_zone_gives_local_times_their_offset(
    sample: Sample, sent: Sent, zone: ZoneInfo, local: str, goes_out: str
) -> None:
    """With a default time zone a timestamp without an offset gets that zone's at that time (G7)."""
    vendor = GeroSense("steps", zone)
    record = sample(start_date=local, end_date=None)
    cells = {**{key: str(value) for key, value in record.items()}, "end_date": ""}

    for found in (
        vendor.prepare_value(record),
        vendor.prepare_json(json.dumps(record).encode()),
        vendor.prepare_cells(tuple(cells), list(cells.values())),
    ):
        assert sent(found)["start_date"] == goes_out


@pytest.mark.parametrize("text", ["2023-03-12T02:30:00", "2023-11-01", "", "2023-11-01 08:00:00", "soon"])
def test_a_named_zone_mends_nothing_else(sample: Sample, breaks: Breaks, text: str) -> None:
    """A time that the zone skips, and what has no right form, is refused all the same (G7)."""
    vendor = GeroSense("steps", NEW_YORK)

    assert breaks(vendor.prepare_value(sample(start_date=text, end_date=None))) == ["G7 $.start_date"]


def test_a_datetime_goes_out_with_its_offset(gerosense: GeroSense, sample: Sample, sent: Sent) -> None:
    """An aware datetime of a query becomes ISO 8601 with its own offset, not another's (G7)."""
    start = datetime(2023, 11, 1, 8, 4, 51, 120000, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    body = sent(gerosense.prepare_value(sample(start_date=start, end_date=datetime(2023, 11, 1, 9, tzinfo=UTC))))

    assert body["start_date"] == "2023-11-01T08:04:51.120000+05:45"
    assert body["end_date"] == "2023-11-01T09:00:00+00:00"


def test_a_datetime_without_an_offset_needs_a_named_zone(
    gerosense: GeroSense, sample: Sample, sent: Sent, breaks: Breaks
) -> None:
    """A naive datetime is refused, or taken as local time in the zone that the author names (G7)."""
    record = sample(start_date=datetime(2023, 11, 1, 8), end_date=None)

    assert breaks(gerosense.prepare_value(record)) == ["G7 $.start_date"]
    assert sent(GeroSense("steps", TOKYO).prepare_value(record))["start_date"] == "2023-11-01T08:00:00+09:00"


def test_a_datetime_end_before_its_start_is_refused(gerosense: GeroSense, sample: Sample, breaks: Breaks) -> None:
    """Datetimes are compared as instants too (G6)."""
    start, end = datetime(2023, 11, 1, 8, tzinfo=UTC), datetime(2023, 11, 1, 9, tzinfo=TOKYO)

    assert breaks(gerosense.prepare_value(sample(start_date=start, end_date=end))) == ["G6 $.end_date"]
