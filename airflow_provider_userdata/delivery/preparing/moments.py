"""Reads dates and times of many forms, and writes them as ISO 8601 with an offset from UTC, with all their digits.

Errors say what is wrong, and never quote the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import ROUND_FLOOR, Decimal
from functools import partial
from typing import Any, NamedTuple

from airflow_provider_userdata.vendors.validation import cell_value, is_nan, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"epoch_s": Decimal(1), "epoch_ms": Decimal(1000)}
"""How many units of each form make a second."""
_LOOSE_ISO = re.compile(
    r"\s*+(?P<date>\d{4}-\d\d-\d\d|\d{8})(?:[T\s]?\s*+(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,30}))?)?)?\s*+(?P<offset>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*+",
    re.ASCII,
)
_WITH_OFFSET = re.compile(r"(?P<local>.*\S)\s*+(?P<offset>Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII | re.DOTALL)
_SAMPLE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_TO_MINUTES = len("2001-02-03T04:05")
_TO_MICROSECONDS = len("2001-02-03T04:05:06.000000")

Read = Callable[[Any], str]
"""Returns a value as ISO 8601, or raises `ValueError` with the reason."""


class Instant(NamedTuple):
    """A date and time.

    :param below: the digits of its fraction after those of microseconds.
    """

    moment: datetime
    below: str = ""


def reader_of(form: str, zone: tzinfo | None) -> Read:
    """Return the function that reads values of a form.

    :param form: `iso`, `epoch_s`, `epoch_ms`, or a format of `strptime`.
    :param zone: the zone of local times; None refuses them.
    :raises ValueError: if there is no such form.
    """
    if not isinstance(form, str) or not (form == "iso" or form in _UNITS or "%" in form):
        raise ValueError("a Timestamp's format is 'iso', 'epoch_s', 'epoch_ms' or one such as '%d/%m/%Y %H:%M'")
    if form == "iso":
        read: Callable[[Any], Instant] = _from_iso
    elif form in _UNITS:
        read = partial(_from_epoch, units=_UNITS[form])
    else:
        _check_format(form)
        read = partial(_from_format, form=form, zone=None if "%z" in form.replace("%%", "") else zone)
    return lambda value: _written(_instant(value, read), zone)


def _check_format(form: str) -> None:
    """Check that a format says which day it is, and from which zone."""
    if "%Z" in form.replace("%%", ""):
        raise ValueError("%Z in a Timestamp's format names a zone, which says no offset; use %z, or `timezone`")
    try:
        day = datetime.strptime(_SAMPLE.strftime(form), form).date()
    except ValueError:
        raise ValueError("a Timestamp's format has a % that Python's strptime doesn't know") from None
    if day != _SAMPLE.date():
        raise ValueError("a Timestamp's format has to say year, month and day")


def _instant(value: Any, read: Callable[[Any], Instant]) -> Instant:
    """Return a value as a date and time; one that is such already needs no reading."""
    own = plain(value)
    if isinstance(own, datetime):
        exact = datetime.combine(own.date(), own.time(), own.tzinfo).replace(fold=own.fold)
        nanoseconds = getattr(own, "nanosecond", 0)  # of pandas
        return Instant(exact, f"{nanoseconds:03}".rstrip("0"))
    if isinstance(own, date):
        return Instant(datetime(own.year, own.month, own.day))
    return _from_iso(own) if isinstance(own, str) and not isinstance(value, str) else read(own)  # of NumPy


def _from_iso(value: Any) -> Instant:
    found = _LOOSE_ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is not a date and time in ISO 8601")
    time = f"{found['hour'] or '00'}:{found['minute'] or '00'}:{found['second'] or '00'}"
    fraction, offset = found["fraction"] or "", found["offset"] or ""
    if offset in ("Z", "z", "UTC", "GMT"):
        offset = "+00:00"
    try:
        moment = datetime.fromisoformat(f"{found['date']}T{time}.{fraction[:6]:0<6}{offset}")
    except ValueError:
        raise ValueError("is not a valid calendar date or time of day") from None
    return Instant(moment, fraction[6:].rstrip("0"))


def _from_epoch(value: Any, units: Decimal) -> Instant:
    number = cell_value(value.strip()) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or is_nan(number):
        raise ValueError("is not a number of seconds or milliseconds since 1970")
    try:
        microseconds = Decimal(repr(number) if isinstance(number, float) else number) / units * 1_000_000
        whole = microseconds.to_integral_value(ROUND_FLOOR)
        return Instant(_EPOCH + timedelta(microseconds=int(whole)), f"{microseconds - whole:f}"[2:].rstrip("0"))
    except (ArithmeticError, ValueError):
        raise ValueError("is out of the calendar's range") from None


def _from_format(value: Any, form: str, zone: tzinfo | None) -> Instant:
    """Return a date and time.

    :param zone: of a form without an offset: an offset that the zone has then may follow the text, and so may a `Z`.
    """
    if not isinstance(value, str):
        raise ValueError(f"is of type {type(value).__name__}, not a text of the form {form!r}")  # noqa: TRY004
    text = value.strip()
    told = None
    if (local := _parsed(text, form)) is None and zone is not None and (told := _WITH_OFFSET.fullmatch(text)):
        local = _parsed(told["local"], form)
    if local is None:
        raise ValueError(f"is not of the form {form!r}")
    if told is None or zone is None:
        return Instant(local)
    exact = datetime.combine(local.date(), local.time(), datetime.strptime(told["offset"], "%z").tzinfo)
    if told["offset"] != "Z" and exact.utcoffset() not in _offsets(local, zone):
        raise ValueError("has an offset from UTC that the zone doesn't have then")
    return Instant(exact)


def _parsed(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except (ValueError, OverflowError):
        return None


def _written(instant: Instant, zone: tzinfo | None) -> str:
    """Return a date and time in ISO 8601, with as many digits of fraction as it needs, in threes up to microseconds."""
    moment, below = instant
    if moment.utcoffset() is None:
        moment = _in_zone(moment.replace(tzinfo=None), zone)
    if (moment.utcoffset() or timedelta()) % timedelta(minutes=1):
        raise ValueError("has an offset from UTC with seconds")
    micro = moment.microsecond
    spec = "microseconds" if below or micro % 1000 else "milliseconds" if micro else "seconds"
    text = moment.isoformat(timespec=spec)
    text = text[:_TO_MICROSECONDS] + below + text[_TO_MICROSECONDS:] if below else text
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _in_zone(local: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise ValueError("has no offset from UTC, and the Timestamp names no timezone")
    earlier, later = _offsets(local, zone)
    if earlier is None or later is None:
        raise ValueError("has no offset from UTC in that zone")
    if earlier < later:
        raise ValueError("is a local time that the zone skips")
    if earlier > later:
        either = " or ".join(_text_of(offset) for offset in (earlier, later))
        raise ValueError(f"is a local time that the zone's clocks show twice: add {either} at its end to say which")
    return local.replace(tzinfo=zone)


def _offsets(local: datetime, zone: tzinfo) -> tuple[timedelta | None, timedelta | None]:
    """Return the offsets that a zone has at a local time: two if its clocks show it twice, or skip it."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.utcoffset(), second.utcoffset()


def _text_of(offset: timedelta) -> str:
    return _EPOCH.replace(tzinfo=timezone(offset)).isoformat(timespec="minutes")[_TO_MINUTES:]
