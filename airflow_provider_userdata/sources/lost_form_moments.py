"""What spreadsheets do to dates and times, and to texts that look like them, such as `3-4`."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})日?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.]\s?(\d{1,2})[-/.]\s?(\d{4}|\d{2})", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})\.?[- ]?([^\W\d]{3,})\.?,?[- ]?(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([^\W\d]{3,})\.? (\d{1,2}),? (\d{4})")
_TIME = re.compile(
    r"[T ,]*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(?:([AaPp])\.?[Mm]\.?)?\s*"
    r"([Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_EXCELS_FRACTION = re.compile(r"(\d{2}):(\d{2}[.,]\d)", re.ASCII)
"""Minutes, seconds and a tenth: so Excel shows a date and time with a part of a second, and saves it in a CSV."""
_SHORT = re.compile(r"\d{1,2}[-. ]{1,2}[^\W\d]{3,}\.?|[^\W\d]{3,}\.?[- ]\d{2,4}|\d{1,2}月\d{1,2}日")
_TWO_PARTS = re.compile(r"(\d{1,2}|[A-Za-z]{3,9})[-/. ]?(\d{1,4})", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ANY_MONTH = 0
_DAY_ZERO = date(1899, 12, 30)
"""The day from which spreadsheets count days."""


class _Moment(NamedTuple):
    """What a text may mean.

    :param dates: years, months and days, as they may be read; none for a time of any day.
    :param time: hours, minutes, and seconds if they are written; None if there is no time.
    :param fraction: the digits of a part of a second.
    :param has_offset: whether an offset from UTC is written.
    """

    dates: frozenset[tuple[int, int, int]]
    time: tuple[int, ...] | None = None
    fraction: str = ""
    has_offset: bool = False


def lost_moment_form(before: str, after: str) -> str | None:
    """Return in words what became of a date or a time that is otherwise the same; None if it isn't.

    A date that is written as ISO 8601 now, and wasn't before, is a correction. So is what says more than before: no
    spreadsheet writes an offset from UTC, or a time of day behind a date that it leaves as it was.
    """
    was, now = _moment(before), _moment(after)
    if was is None:
        return "became a date" if _became_date(before, after) else None
    if now is None:
        if _is_excels_fraction(was, after):
            return "the date and the hour are gone"
        return "the date became a number" if _is_day_number(was, after) else None
    if (_ISO.fullmatch(after) and not _ISO.fullmatch(before)) or now.has_offset:
        return None
    if was.time is None and now.time is not None and after.startswith(before):
        return None
    if not _same_date(was, now) or not _same_time(was, now):
        return None
    return "the date is written in another way" if was.dates else "the time is written in another way"


def _moment(text: str) -> _Moment | None:
    """Return what a date, a time or both may mean; None for another text."""
    found = _date(text)
    dates, end = (frozenset(), 0) if found is None else found
    rest = text[end:]
    if not rest:
        return _Moment(dates) if dates else None
    clock = _TIME.fullmatch(rest)
    if clock is None:
        return None
    hour = int(clock[1])
    if clock[5]:
        hour = hour % 12 + 12 * (clock[5] in "Pp")
    seconds = () if clock[3] is None else (int(clock[3]),)
    fraction = (clock[4] or "").rstrip("0")
    return _Moment(dates, (hour, int(clock[2]), *seconds), fraction, has_offset=clock[6] is not None)


def _date(text: str) -> tuple[frozenset[tuple[int, int, int]], int] | None:
    """Return what the date that a text begins with may mean, and where it ends."""
    if (found := _YEAR_FIRST.match(text)) is not None:
        year, month, day = map(int, found.groups())
        return frozenset({(year, month, day)}), found.end()
    if (found := _YEAR_LAST.match(text)) is not None:
        one, other = int(found[1]), int(found[2])
        return frozenset(
            date for year in _years(found[3]) for date in [(year, one, other), (year, other, one)]
        ), found.end()
    if (found := _NAMED.match(text)) is not None:
        day, name, years = int(found[1]), found[2], _years(found[3])
    elif (found := _NAMED_FIRST.match(text)) is not None:
        day, name, years = int(found[2]), found[1], _years(found[3])
    else:
        return None
    return frozenset((year, _month(name), day) for year in years), found.end()


def _years(text: str) -> list[int]:
    return [int(text)] if len(text) > 2 else [1900 + int(text), 2000 + int(text)]


def _month(name: str) -> int:
    """Return a month by its English name; in another language, it may be any."""
    short = name[:3].casefold()
    return _MONTHS.index(short) + 1 if short in _MONTHS else _ANY_MONTH


def _same_date(was: _Moment, now: _Moment) -> bool:
    if not was.dates or not now.dates:
        return was.dates == now.dates
    return any(
        one[0] == other[0] and one[2] == other[2] and (one[1] == other[1] or _ANY_MONTH in (one[1], other[1]))
        for one in was.dates
        for other in now.dates
    )


def _same_time(was: _Moment, now: _Moment) -> bool:
    """Return whether the times are the same, as far as the new one is written.

    A spreadsheet leaves seconds and parts of them out, and adds seconds only where there are none.
    """
    if now.time is None:
        return True
    known = was.time or (0, 0, 0)
    missing = len(now.time) - len(known)
    fraction, digits = float(f"0.{was.fraction}"), len(now.fraction)
    is_rounded = digits < len(was.fraction) and round(fraction, digits) == float(f"0.{now.fraction}")
    same_fraction = was.fraction.startswith(now.fraction) or is_rounded
    return (*known, *[0] * missing)[: len(now.time)] == now.time and same_fraction


def _is_excels_fraction(was: _Moment, after: str) -> bool:
    found = _EXCELS_FRACTION.fullmatch(after)
    if found is None or was.time is None or not was.fraction:
        return False
    _, minutes, seconds = was.time
    tenths = round((minutes * 60 + seconds + float(f"0.{was.fraction}")) * 10)
    shown = round((int(found[1]) * 60 + float(found[2].replace(",", "."))) * 10)
    return (tenths - shown) % 36_000 in (0, 1, 35_999)


def _is_day_number(was: _Moment, after: str) -> bool:
    if not re.fullmatch(r"\d{5}(?:[.,]\d+)?", after, re.ASCII) or len(was.dates) != 1:
        return False
    year, month, day = next(iter(was.dates))
    try:
        return (date(year, month, day) - _DAY_ZERO).days == int(after[:5])
    except ValueError:
        return False


def _became_date(before: str, after: str) -> bool:
    """Return whether a text such as `3-4` or `MAR1` became a date of the same parts."""
    parts = _TWO_PARTS.fullmatch(before)
    if parts is None or (_moment(after) is None and not _SHORT.fullmatch(after)):
        return False
    left = _numbers(after)
    for part in _numbers(" ".join(parts.groups())):
        if part in left or _ANY_MONTH in left:
            left.remove(part if part in left else _ANY_MONTH)
        else:
            return False
    return True


def _numbers(text: str) -> list[int]:
    """Return the numbers in a text, with those of its months."""
    parts = re.findall(r"\d+|[^\W\d_]+", text)
    return [int(part) if part.isdecimal() else _month(part) for part in parts if part not in "年月日"]
