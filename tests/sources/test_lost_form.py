"""What spreadsheets do to cells by themselves is told from what people correct."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.sources.lost_form import is_cut, lost_form

NUMBERS = st.from_regex(r"[-+0-9.,eE:/ TZ]{0,24}", fullmatch=True)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("000046", "46", "leading zeros"),
        ("-007.50", "-7.5", "leading zeros"),
        ("+819012345678", "819012345678", "plus sign"),
        ("46.0", "46", "zeros after the point"),
        ("1234567890123456", "1.23457E+15", "exponent"),
        ("1234567890123456", "1,23457E+15", "exponent"),
        ("1E5", "1.00E+05", "exponent"),
        ("1234567890123456", "1234567890123450", "digits after the 15th"),
        ("35.689487512345", "35.68948751", "last digits"),
        ("1234567", "1,234,567", "thousands"),
        ("1234567.5", "1.234.567,5", "thousands"),
        ("1234", "1\u202f234", "thousands"),
        ("1.5", "1,5", "comma"),
        ("2025-05-26", "26.05.2025", "date is written"),
        ("2025-05-26", "5/26/2025", "date is written"),
        ("2025-05-26", "26/05/25", "date is written"),
        ("2025-05-26", "26-May-25", "date is written"),
        ("2025-05-26", "May 26, 2025", "date is written"),
        ("2025-05-26", "26. Mai 2025", "date is written"),
        ("2025-05-26", "2025年5月26日", "date is written"),
        ("2025/05/26", "2025/5/26", "date is written"),
        ("2025-05-26T10:00:30", "2025-05-26 10:00", "date is written"),
        ("2025-05-26T22:00:30Z", "5/26/2025 10:00 PM", "date is written"),
        ("2025-05-26T22:00:30+02:00", "2025-05-26 22:00:30", "date is written"),
        ("2025-05-26 22:00:30 UTC", "2025-05-26 22:00:30", "date is written"),
        ("2025-05-26 10:00:30.25", "2025-05-26 10:00:30", "date is written"),
        ("2025-05-26 10:00:30.789", "2025-05-26 10:00:30.79", "date is written"),
        ("2026-10-25 12:34:56.789", "34:56.8", "date and the hour are gone"),
        ("2026-10-25 12:59:59.97", "00:00,0", "date and the hour are gone"),
        ("2025-05-26", "26.05.2025 00:00", "date is written"),
        ("2025-05-26 10:00", "2025-05-26 10:00:00", "date is written"),
        ("2025-05-26", "45803", "date became a number"),
        ("8:05", "08:05:00", "time is written"),
        ("3-4", "4-Mar", "became a date"),
        ("3-4", "03. Apr", "became a date"),
        ("MAR1", "1-Mar", "became a date"),
        ("10.12", "10. Dez", "became a date"),
        ("true", "TRUE", "true or false"),
        ("false", "FALSCH", "true or false"),
        ("note ", "note", "blanks at the ends"),
        ("a\r\nb", "a\nb", "line breaks"),
        ("=1+x", "#NAME?", "error"),
        ("20250526", "########", "error"),
        ("東京 1", "?? 1", "question marks"),
        ("é", "e\u0301", "marks"),
    ],
)
def test_a_form_that_spreadsheets_lose_is_said(before: str, after: str, says: str) -> None:
    """In words without the value."""
    assert says in (lost_form(before, after) or "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("46", "000046"),
        ("000046", "47"),
        ("26.05.2025", "2025-05-26"),
        ("2025-05-26", "2025-05-27"),
        ("2025-05-26T10:00", "2025-05-26T11:00"),
        ("2026-10-25 02:16:00", "2026-10-25 02:16:00+02:00"),
        ("2026-10-25 02:16:00", "2026-10-25T02:16:00Z"),
        ("25.10.2026 02:16", "25.10.2026 02:16 +0200"),
        ("2026-10-25 02:16:00+02:00", "2026-10-25 02:16:00+01:00"),
        ("2026-10-25", "2026-10-25 00:00:00"),
        ("2026-10-25 12:34:56.789", "34:57.8"),
        ("2026-10-25 02:16", "2026-10-25 02:16:30"),
        ("2026-10-25 02:16:30", "2026-10-25 02:16:30.5"),
        ("2026-10-25 02:16:30.25", "2026-10-25 02:16:30.75"),
        ("TRUE", "true"),
        ("FALSE", "FALSE"),
        ("#REF!", "#REF!"),
        ("true", "false"),
        ("1,234", "1234"),
        ("1E5", "100000"),
        ("3.14159", "3.14"),
        ("1234567890123456", "1234567890123457"),
        ("note", "note "),
        ("", "filled"),
        ("filled", ""),
        ("Osaka", "Kyoto"),
        ("12:00", "13:00"),
        ("3-4", "5-Mar"),
        ("2025-13-45", "45803"),
        ("東京", "京都"),
        ("x" * 200, "Osaka"),
    ],
)
def test_what_people_correct_is_not(before: str, after: str) -> None:
    """Also what is the opposite of a spreadsheet's own change."""
    assert lost_form(before, after) is None


def test_a_text_that_a_spreadsheet_cut_is_known() -> None:
    """A cell holds 32,767 characters; nobody else ends a text just there."""
    text = "x" * 40_000
    assert is_cut(text, text[:32_767])
    assert not is_cut(text, text[:30_000])
    assert not is_cut(text[:32_767], text[:32_767])


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_texts_can_be_compared(before: str, after: str) -> None:
    """Whatever stands in them."""
    assert lost_form(before, after) is None or before != after


@given(
    st.from_regex(r"[-+0-9.,eE:/ TZ]{0,24}", fullmatch=True), st.from_regex(r"[-+0-9.,eE:/ TZ]{0,24}", fullmatch=True)
)
def test_any_two_numbers_and_dates_can_be_compared(before: str, after: str) -> None:
    """Also such as no calendar has."""
    assert lost_form(before, after) is None or before != after
