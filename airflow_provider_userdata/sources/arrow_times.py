"""Writes Arrow's dates and times as ISO 8601, whole columns at once, exactly: nothing is rounded.

Imported only by what reads Arrow: it needs pyarrow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST, _LAST = (day.toordinal() - _EPOCH for day in (date.min, date.max))
"""The days of the years 1 to 9999, which ISO 8601 writes with four digits."""
_DATE_WIDTH = len("2024-05-01")
_BEYOND = 100
"""More characters than a time has."""
_MOST = 2**63 - 1
_FIXED = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)", re.ASCII)
"""A zone that is an offset from UTC."""
_UTC = frozenset({"UTC", "Etc/UTC", "Z", "+00:00"})


@dataclass(frozen=True, slots=True)
class OutOfCalendar:
    """Takes the place of a date outside the years 1 to 9999. No vendor takes it, so its record is rejected.

    :param since_1970: the number that stands for it, in its column's unit.
    """

    since_1970: int


def zone_fault(zone: str) -> str | None:
    """Return why times in a zone can't be written; None if they can."""
    if _FIXED.fullmatch(zone):
        return None
    try:
        pc.local_timestamp(pa.nulls(1, pa.timestamp("s", zone)))  # pyarrow imports pandas for an array of values
    except pa.ArrowInvalid:
        return f"has the time zone {zone!r}, which this machine doesn't know; is the system's package tzdata installed?"
    return None


def date_texts(column: Any) -> list[Any]:
    """Return dates as texts."""
    days = column.cast(pa.date32(), safe=False)
    return _within_calendar(days, pa.int32(), _FIRST, _LAST, lambda known: known.cast(pa.string()).to_pylist())


def time_texts(column: Any) -> list[Any]:
    """Return times of day as texts."""
    return _texts(column)


def timestamp_texts(column: Any) -> list[Any]:
    """Return timestamps as texts: in their zone's local time with its offset from UTC; without a zone, without offset.

    In UTC they end in Z. So do the few that have no text in their zone: with an offset with seconds, as before time
    zones were introduced, and in the first and last hours of the calendar.
    """
    per_day = _DAY * _PER_SECOND[column.type.unit]
    zone = column.type.tz
    write = _texts if zone is None else _utc_texts if zone in _UTC else _zone_texts
    return _within_calendar(column, pa.int64(), _FIRST * per_day, (_LAST + 1) * per_day - 1, write)


def _within_calendar(column: Any, integers: Any, first: int, last: int, write: Callable[[Any], list[Any]]) -> list[Any]:
    """Write a column's values; those outside some bounds are `OutOfCalendar`."""
    numbers = column.view(integers)
    if _are_between(numbers, first, last):
        return write(column)
    outside = pc.fill_null(pc.or_(pc.less(numbers, first), pc.greater(numbers, last)), False)  # noqa: FBT003
    texts = write(pc.if_else(outside, None, column))
    for place in pc.indices_nonzero(outside).to_pylist():
        texts[place] = OutOfCalendar(numbers[place].as_py())
    return texts


def _utc_texts(column: Any) -> list[Any]:
    return _texts(column.view(pa.timestamp(column.type.unit)), "Z")


def _zone_texts(column: Any) -> list[Any]:
    utc = column.view(pa.timestamp(column.type.unit))
    local = _local(column, utc)
    offsets = _seconds(pc.subtract(local, utc))
    if not _all_have_texts(column, local, offsets):
        odd = _without_text(column, local, offsets)
        local, offsets = pc.if_else(odd, utc, local), pc.if_else(odd, 0, offsets)
    known = pc.unique(offsets.drop_null()).to_pylist()
    if len(known) == 1:  # the usual case
        return _texts(local, _offset_text(known[0]))
    endings = {offset: _offset_text(offset) for offset in known}
    return [
        None if text is None else text + endings[offset]
        for text, offset in zip(_texts(local), offsets.to_pylist(), strict=True)
    ]


def _all_have_texts(column: Any, local: Any, offsets: Any) -> bool:
    """Return whether all times have a text in their zone, which is the usual case and quickly found out."""
    edge = _edge(column)
    return (
        not any(offset % 60 for offset in pc.unique(offsets.drop_null()).to_pylist())
        and _are_between(column.view(pa.int64()), -edge, edge)
        and _are_between(_days(local), _FIRST, _LAST)
    )


def _without_text(column: Any, local: Any, offsets: Any) -> Any:
    """Return which times have no text in their zone."""
    odd_offsets = [offset for offset in pc.unique(offsets.drop_null()).to_pylist() if offset % 60]
    numbers, days, edge = column.view(pa.int64()), _days(local), _edge(column)
    odd = pc.is_in(offsets, value_set=pa.array(odd_offsets, pa.int64()))
    for far in (pc.less(days, _FIRST), pc.greater(days, _LAST), pc.less(numbers, -edge), pc.greater(numbers, edge)):
        odd = pc.or_(odd, far)
    return pc.fill_null(odd, False)  # noqa: FBT003


def _edge(column: Any) -> int:
    """Return beyond which number a sum with an offset may not fit into 64 bits."""
    return _MOST - _DAY * _PER_SECOND[column.type.unit]


def _days(local: Any) -> Any:
    return local.cast(pa.date32(), safe=False).view(pa.int32())


def _are_between(numbers: Any, first: int, last: int) -> bool:
    bounds = pc.min_max(numbers).as_py()
    return bounds["min"] is None or bool(first <= bounds["min"] and bounds["max"] <= last)


def _local(column: Any, utc: Any) -> Any:
    """Return the times that a zone's clocks show; Arrow itself knows no fixed offsets before version 21."""
    if (fixed := _FIXED.fullmatch(column.type.tz)) is None:
        return pc.local_timestamp(column)
    offset = timedelta(hours=int(fixed["hours"]), minutes=int(fixed["minutes"]))
    shift = pa.scalar(-offset if fixed["sign"] == "-" else offset, pa.duration(column.type.unit))
    return pc.add(utc, shift)


def _seconds(durations: Any) -> Any:
    return durations.cast(pa.duration("s")).cast(pa.int64())


def _offset_text(seconds: int) -> str:
    if seconds == 0:
        return "Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"


def _texts(column: Any, ending: str = "") -> list[Any]:
    """Return times as Arrow writes them, with a T, an ending, and 0, 3, 6 or 9 digits of fraction.

    :param column: of times without a zone.
    """
    texts = _coarse(column).cast(pa.string())
    if pa.types.is_timestamp(column.type):
        texts = pc.binary_replace_slice(texts, _DATE_WIDTH, _DATE_WIDTH + 1, "T")
    zeros = pc.indices_nonzero(pc.ends_with(texts, "000"))  # of a fraction: the seconds have two digits
    if ending:
        texts = pc.binary_replace_slice(texts, _BEYOND, _BEYOND, ending)  # takes a third of the time of a join
    written: list[Any] = texts.to_pylist()
    for place in zeros.to_pylist():
        written[place] = _shortened(written[place].removesuffix(ending)) + ending
    return written


def _coarse(column: Any) -> Any:
    """Return timestamps in the largest unit that holds all of them exactly: their texts are made faster."""
    if not pa.types.is_timestamp(column.type):
        return column
    for unit in _PER_SECOND:
        try:
            return column.cast(pa.timestamp(unit))
        except pa.ArrowInvalid:  # one of them has a finer fraction
            continue
    return column


def _shortened(text: str) -> str:
    """Return a time without groups of three zeros at its fraction's end."""
    while text.endswith("000"):
        text = text[:-3]
    return text.removesuffix(".")
