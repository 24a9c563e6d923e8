"""The one profile of ISO 8601 that a timestamp may have (G7), and the order of two of them (G6).

The profile: `2023-06-01T14:30:00.123+09:00`, that is the extended form with a `T`, seconds and their fraction
optional, and an offset from UTC written `Z`, `±hh:mm`, `±hhmm` or `±hh`. A valid text is sent
unchanged: nothing here rewrites a text that has an offset.

Most timestamps are RFC 3339, which `ciso8601` reads in a tenth of a microsecond. It takes a little more than the
profile (a space or `t` for the `T`, `z` for the `Z`), which is refused here, and a little less (seconds left out, other
forms of offset), for which there is a pattern of our own. It is given ASCII alone: up to 2.3.3 it kills the process
where a text is not UTF-8.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import compress, repeat
from zoneinfo import ZoneInfo

from ciso8601 import parse_rfc3339

from airflow_provider_userdata.records import each

_PROFILE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<offset>Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?"
)
_DATE, _TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_OFFSET = r"(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_NEAR_MISSES = tuple(
    (re.compile(pattern), reason)
    for pattern, reason in (
        (r"\s(?s:.*)|(?s:.*)\s", "has whitespace around it"),
        (_DATE, "is a date without a time"),
        (f"{_DATE} (?:{_TIME}).*", "has a space instead of the T"),
        (f"{_DATE}[Tt]{_TIME}(?i:{_OFFSET})", "has a lowercase t or z"),
        (f"{_DATE}T{_TIME}[+-][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}.*", "has an offset from UTC with seconds"),
        (f"{_DATE}T{_TIME}[+-].*", "has an offset from UTC that is not ±hh:mm, ±hhmm or ±hh"),
    )
)
_RIGHT_SHAPE = re.compile(f"{_DATE}T{_TIME}(?P<offset>{_OFFSET})")
_OFFSET_IN_RANGE = re.compile(r"|Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?")
_SIGNS = frozenset("+-")
_NOT_IN_PROFILE = " tz"
"""What `ciso8601` takes in place of the `T` and the `Z`."""
_EARLIEST, _LATEST = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))


class NotInProfile(ValueError):  # noqa: N818 - the name says what is wrong
    """A timestamp is outside the profile of G7. The message is the reason; it never contains the value."""


def parse(text: str) -> datetime:
    """Read a timestamp of the profile (G7) as an aware `datetime`; digits beyond microseconds are cut off.

    :raises NotInProfile: with the reason, without the value.
    """
    found = _read(text)
    if isinstance(found, str):
        raise NotInProfile(found)
    return found


def fault(text: str) -> str | None:
    """Return why a text is outside the profile (G7), without the value; None if it is in the profile."""
    found = _read(text)
    return found if isinstance(found, str) else None


def in_order(start: str, end: str) -> bool:
    """Return whether both are in the profile (G7) and the end is not earlier (G6). All digits are compared."""
    first, last = _read(start), _read(end)
    if isinstance(first, str) or isinstance(last, str):
        return False
    # Cut to microseconds, two different instants may become equal.
    return first < last or start == end or (first == last and _below_microseconds(start) <= _below_microseconds(end))


def maybe_not_in_order(starts: Sequence[str], ends: Sequence[str]) -> set[int]:
    """Return the indexes of pairs that may be out of profile or out of order; `in_order` decides on each.

    For valid pairs, checking many at once takes a third of the time.
    """
    texts = "".join(starts) + "".join(ends)
    if not _is_readable(texts):
        starts, ends = ([text if _is_readable(text) else "" for text in column] for column in (starts, ends))
    firsts, unread_starts = each(parse_rfc3339, starts, ValueError, _EARLIEST)
    lasts, unread_ends = each(parse_rfc3339, ends, ValueError, _LATEST)
    unsure = {*unread_starts, *unread_ends}
    if not all(map(operator.lt, firsts, lasts)):
        places = compress(range(len(starts)), map(operator.ge, firsts, lasts))
        # Equal texts are in order; other equal instants may differ in digits beyond microseconds.
        unsure.update(place for place in places if firsts[place] != lasts[place] or starts[place] != ends[place])
    for letter in _NOT_IN_PROFILE:
        if letter in texts:
            in_starts, in_ends = (map(operator.contains, column, repeat(letter)) for column in (starts, ends))
            unsure.update(compress(range(len(starts)), map(operator.or_, in_starts, in_ends)))
    return unsure


def with_zone(text: str, zone: ZoneInfo, fold: int = 0) -> str:
    """Return a timestamp with the offset that `zone` has at that local time (G7). With an offset, it is unchanged.

    :param fold: which one a local time is that occurs twice, when clocks go back: 0 is the earlier, 1 the later.
    :raises NotInProfile: if the text is outside the profile, if the zone skips that local time, or if the zone's offset
        at that time had seconds (before time zones were introduced), which the profile can't write.
    """
    if text[-1:] == "Z" or text[-6:-5] in _SIGNS or _profile(text)["offset"]:
        parse(text)
        return text
    local = _on_calendar(text)
    earlier = zone.utcoffset(local.replace(tzinfo=zone))
    later = zone.utcoffset(local.replace(tzinfo=zone, fold=1))
    if earlier is None or later is None:
        raise NotInProfile("has no offset from UTC in that zone")
    # In a gap, the offset before it is smaller; when clocks go back, it is greater.
    if earlier < later:
        raise NotInProfile("is a local time that the zone skips")
    return text + _written(later if fold else earlier)


def from_datetime(value: datetime, zone: ZoneInfo | None) -> str:
    """Write a `datetime` in the profile (G7). Without an offset it is local time in `zone`, and `fold` counts.

    :raises NotInProfile: if it has no offset and there is no zone, or for the same reasons as `with_zone`.
    """
    text = value.isoformat()
    if zone is not None:
        return with_zone(text, zone, value.fold)
    parse(text)
    return text


def _is_readable(text: str) -> bool:
    """Return whether any `ciso8601` reads a text safely: up to 2.3.3, surrogates crash it and NUL ends a text."""
    return text.isascii() and "\0" not in text


def _read(text: str) -> datetime | str:
    """Return the timestamp, or why it can't be read."""
    if text.isascii() and "\0" not in text:  # as in `_is_readable`, without a call for every sample
        try:
            moment = parse_rfc3339(text)
            if text[10] == "T" and text[-1] != "z":
                return moment
        except ValueError:  # nothing is raised inside: this error quotes the value, and a traceback would show it
            pass
    return _read_slowly(text)


@functools.lru_cache(maxsize=8)
def _read_slowly(text: str) -> datetime | str:
    """Do so by the pattern. Cached: it is called several times for a rejected text."""
    try:
        match, moment = _profile(text), _on_calendar(text)
    except NotInProfile as fault:
        return str(fault)
    return moment if match["offset"] else "has no offset from UTC"


def _profile(text: str) -> re.Match[str]:
    match = _PROFILE.fullmatch(text)
    if match is None:
        raise NotInProfile(_why_not(text))
    return match


def _on_calendar(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise NotInProfile("is not a valid calendar date") from None


@functools.lru_cache(maxsize=256)
def _written(offset: timedelta) -> str:
    written = str(timezone(offset)).removeprefix("UTC") or "+00:00"
    if len(written) > len("+00:00"):
        raise NotInProfile("has an offset from UTC with seconds")
    return written


def _below_microseconds(text: str) -> str:
    """Return the fraction's digits from the seventh on. Without trailing zeros, texts sort like the numbers."""
    return (_profile(text)["fraction"] or "")[6:].rstrip("0")


def _why_not(text: str) -> str:
    """Return why a text that can't be read is outside the profile."""
    if not text:
        return "is empty"
    shaped = _RIGHT_SHAPE.fullmatch(text)
    if shaped is None:
        reasons = (reason for pattern, reason in _NEAR_MISSES if pattern.fullmatch(text))
        return next(reasons, "is not ISO 8601 in the extended form")
    if not _OFFSET_IN_RANGE.fullmatch(shaped["offset"]):
        return "has an offset from UTC that is out of range"
    return "is not a valid time of day"
