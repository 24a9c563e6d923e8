"""Dates and times of many forms are written as ISO 8601, or rejected with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.preparing.moments import reader_of
from airflow_provider_userdata.vendors.validation import timestamps

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("form", "zone", "value", "written"),
    [
        ("%Y-%m-%d %H:%M:%S %z", None, "2023-11-01 08:04:51 +0400", "2023-11-01T08:04:51+04:00"),
        ("%d/%m/%Y %H:%M", TOKYO, " 01/11/2023 08:04 ", "2023-11-01T08:04:00+09:00"),
        ("%d.%m.%y", BERLIN, "01.07.23", "2023-07-01T00:00:00+02:00"),
        ("%Y-%m-%d %H:%M:%S", BERLIN, "2026-10-25 02:16:00+02:00", "2026-10-25T02:16:00+02:00"),
        ("%Y-%m-%d %H:%M:%S", BERLIN, "2026-10-25 02:16:00 +01:00", "2026-10-25T02:16:00+01:00"),
        ("%Y-%m-%d %H:%M:%S", BERLIN, "2026-10-25 00:16:00Z", "2026-10-25T00:16:00Z"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-03-29 02:30+01:00", "2026-03-29T02:30:00+01:00"),
        ("%d-%m-%Y", BERLIN, "25-10-2026", "2026-10-25T00:00:00+02:00"),
        ("epoch_s", None, 1698797091, "2023-11-01T00:04:51Z"),
        ("epoch_s", None, "1698797091.25", "2023-11-01T00:04:51.250Z"),
        ("epoch_s", None, Decimal("1698797091.000001"), "2023-11-01T00:04:51.000001Z"),
        ("epoch_ms", None, 1698797091250, "2023-11-01T00:04:51.250Z"),
        ("epoch_ms", TOKYO, "-1", "1969-12-31T23:59:59.999Z"),
        ("iso", None, "2023-11-01 08:04:51+04:00", "2023-11-01T08:04:51+04:00"),
        ("iso", None, "20231101T080451Z", "2023-11-01T08:04:51Z"),
        ("iso", None, "2023-11-01 08:04:51.5 UTC", "2023-11-01T08:04:51.500Z"),
        ("iso", None, "2023-11-0108:04:51+0400", "2023-11-01T08:04:51+04:00"),
        ("iso", None, "2023-11-01T08:04:51 -03", "2023-11-01T08:04:51-03:00"),
        ("iso", TOKYO, "2023-11-01", "2023-11-01T00:00:00+09:00"),
        ("iso", TOKYO, "2023-11-01 08:04:51,123456789", "2023-11-01T08:04:51.123456789+09:00"),
        ("iso", None, "2023-11-01T08:04:51.000000000001Z", "2023-11-01T08:04:51.000000000001Z"),
        ("iso", None, "2023-11-01T08:04:51.1000000000Z", "2023-11-01T08:04:51.100Z"),
        ("iso", None, pd.Timestamp("2023-11-01T08:04:51.000000123Z"), "2023-11-01T08:04:51.000000123Z"),
        ("epoch_s", TOKYO, np.datetime64("2023-11-01T08:04:51.000000123"), "2023-11-01T08:04:51.000000123+09:00"),
        ("epoch_s", None, 1.9999999, "1970-01-01T00:00:01.9999999Z"),
        ("epoch_s", None, "-0.0000001", "1969-12-31T23:59:59.9999999Z"),
        ("iso", TOKYO, datetime(2023, 11, 1, 8), "2023-11-01T08:00:00+09:00"),
        ("%d/%m/%Y", TOKYO, date(2023, 11, 1), "2023-11-01T00:00:00+09:00"),
        ("epoch_s", TOKYO, pd.Timestamp("2023-11-01T08:04:51+04:00"), "2023-11-01T08:04:51+04:00"),
    ],
)
def test_a_time_is_written_anew(form: str, zone: Any, value: Any, written: str) -> None:
    """With its own offset, or that of the zone; a `datetime` needs no reading."""
    assert reader_of(form, zone)(value) == written


@pytest.mark.parametrize(
    ("form", "zone", "value", "reason"),
    [
        ("iso", None, "2023-11-01 08:04:51", "no offset"),
        ("iso", BERLIN, "2023-03-26 02:30", "skips"),
        ("iso", BERLIN, "2023-10-29 02:30", r"twice: add \+02:00 or \+01:00 at its end"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-10-25 02:16", r"twice: add \+02:00 or \+01:00 at its end"),
        ("%Y-%m-%d %H:%M", ZoneInfo("Europe/London"), "2026-10-25 01:16", r"twice: add \+01:00 or \+00:00"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-10-25 02:16+03:00", "the zone doesn't have then"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-07-25 02:16+01:00", "the zone doesn't have then"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-10-25 02:16+0200", "form"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-10-25 02:16+99:00", "is not of the form"),
        ("%Y-%m-%d %H:%M", BERLIN, "2026-10-25 02:16+00:00Z", "form"),
        ("%Y-%m-%d %H:%M", None, "2026-10-25 02:16+02:00", "form"),
        ("%Y-%m-%d %H:%M %z", BERLIN, "2026-10-25 02:16 +02:00Z", "form"),
        ("iso", TOKYO, "2023-02-30 08:00", "calendar"),
        ("iso", TOKYO, "01/11/2023", "ISO 8601"),
        ("iso", TOKYO, 20231101, "ISO 8601"),
        ("%d/%m/%Y", TOKYO, "2023-11-01", "form"),
        ("%d/%m/%Y", TOKYO, 7, "type int"),
        ("epoch_s", None, "soon", "number"),
        ("epoch_s", None, True, "number"),
        ("epoch_s", None, float("nan"), "number"),
        ("epoch_s", None, 10**15, "range"),
        ("epoch_s", None, float("inf"), "range"),
        ("iso", None, datetime(2023, 1, 1, tzinfo=timezone(timedelta(seconds=30))), "seconds"),
    ],
)
def test_what_is_no_such_time_is_rejected(form: str, zone: Any, value: Any, reason: str) -> None:
    """The reason says what is wrong, and not the value."""
    with pytest.raises(ValueError, match=reason) as raised:
        reader_of(form, zone)(value)

    assert not isinstance(value, str) or value not in str(raised.value)


@given(value=st.datetimes(min_value=datetime(1902, 1, 1), max_value=datetime(2500, 1, 1), timezones=st.just(UTC)))
def test_what_is_written_is_what_was_meant(value: datetime) -> None:
    """Each form's text is a timestamp of the vendors' profile, of the same instant (G7)."""
    milliseconds = value.replace(microsecond=value.microsecond // 1000 * 1000)

    for form, text in (
        ("iso", value.isoformat(" ")),
        ("%Y-%m-%d %H:%M:%S.%f %z", value.strftime("%Y-%m-%d %H:%M:%S.%f %z")),
        ("epoch_s", Decimal((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)) / 10**6),
    ):
        assert timestamps.parse(reader_of(form, None)(text)) == value
    since = (milliseconds - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert timestamps.parse(reader_of("epoch_ms", None)(since)) == milliseconds


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "no offset"),
        ("%H:%M", "year, month and day"),
        ("%d/%m", "year, month and day"),
        ("%Q", "strptime"),
        (["%"], "format is"),
        ("epoch", "format is"),
    ],
)
def test_a_format_that_cannot_say_when_is_refused(form: Any, reason: str) -> None:
    """Before anything is read: a name of a zone would be passed over, and a missing day invented."""
    with pytest.raises(ValueError, match=reason):
        reader_of(form, TOKYO)
