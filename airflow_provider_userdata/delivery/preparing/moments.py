"""Reads dates and times of many forms, and writes them as ISO 8601 with an offset from UTC.

Errors say what is wrong, and never quote the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from airflow_provider_userdata.vendors.validation import cell_value, is_nan, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_A_SECOND = {"epoch_s": Decimal(1), "epoch_ms": Decimal(1000)}
"""How many units of each form make a second."""
_LOOSE_ISO = re.compile(
    r"\s*+(?P<date>\d{4}-\d\d-\d\d|\d{8})(?:[T\s]?\s*+(?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?)?)?\s*+(?P<offset>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?\s*+",
    re.ASCII,
)

Read = Callable[[Any], str]
"""Returns a value as ISO 8601, or raises `ValueError` with the reason."""


def reader_of(form: str, zone: tzinfo | None) -> Read:
    """Return the function that reads values of a form.

    :param form: `iso`, `epoch_s`, `epoch_ms`, or a format of `strptime`.
    :param zone: the zone of local times; None refuses them.
    :raises ValueError: if there is no such form.
    """
    if form == "iso":
        read: Callable[[Any], datetime] = _from_iso
    elif form in _A_SECOND:
        units = _A_SECOND[form]
        read = lambda value: _from_epoch(value, units)  # noqa: E731  # one of three alike
    elif isinstance(form, str) and "%" in form:
        read = lambda value: _from_format(value, form)  # noqa: E731
    else:
        raise ValueError("a Timestamp's format is 'iso', 'epoch_s', 'epoch_ms' or one such as '%d/%m/%Y %H:%M'")

    return lambda value: _written(_moment(value, read), zone)


def _moment(value: Any, read: Callable[[Any], datetime]) -> datetime:
    """Return a value as a date and time; one that is such already needs no reading."""
    value = plain(value)
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # local, as every date
    return read(value)


def _from_iso(value: Any) -> datetime:
    found = _LOOSE_ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("is not a date and time in ISO 8601")
    day, offset = found["date"], found["offset"]
    time = f"{found['hour'] or '00'}:{found['minute'] or '00'}:{found['second'] or '00'}"
    fraction = f".{found['fraction'][:6]:0<6}" if found["fraction"] else ""
    if offset in ("Z", "z", "UTC", "GMT"):
        offset = "+00:00"
    try:
        return datetime.fromisoformat(f"{day}T{time}{fraction}{offset or ''}")
    except ValueError:
        raise ValueError("is not a valid calendar date or time of day") from None


def _from_epoch(value: Any, units: Decimal) -> datetime:
    number = cell_value(value.strip()) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or is_nan(number):
        raise ValueError("is not a number of seconds or milliseconds since 1970")
    try:
        seconds = Decimal(repr(number) if isinstance(number, float) else number) / units
        return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    except (ArithmeticError, ValueError):
        raise ValueError("is out of the calendar's range") from None


def _from_format(value: Any, form: str) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"is of type {type(value).__name__}, not a text of the form {form!r}")  # noqa: TRY004
    try:
        return datetime.strptime(value.strip(), form)  # a local time gets its zone later
    except (ValueError, OverflowError):
        raise ValueError(f"is not of the form {form!r}") from None


def _written(moment: datetime, zone: tzinfo | None) -> str:
    """Return a date and time in ISO 8601, with whole seconds, milliseconds or microseconds."""
    if moment.utcoffset() is None:
        moment = _in_zone(moment.replace(tzinfo=None), zone)
    if (moment.utcoffset() or timedelta()) % timedelta(minutes=1):
        raise ValueError("has an offset from UTC with seconds")
    spec = "seconds" if not moment.microsecond else "microseconds" if moment.microsecond % 1000 else "milliseconds"
    text = moment.isoformat(timespec=spec)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _in_zone(local: datetime, zone: tzinfo | None) -> datetime:
    if zone is None:
        raise ValueError("has no offset from UTC, and the Timestamp names no timezone")
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    earlier, later = first.utcoffset(), second.utcoffset()
    if earlier is None or later is None:
        raise ValueError("has no offset from UTC in that zone")
    if earlier < later:
        raise ValueError("is a local time that the zone skips")
    if earlier > later:
        raise ValueError("is a local time that the zone's clocks show twice")
    return first
