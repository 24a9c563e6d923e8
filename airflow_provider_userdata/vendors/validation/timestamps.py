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
from datetime import UTC, datetime, timedelta
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
_LONGEST_EXACT = 27
"""Up to this length a text of RFC 3339 surely has at most the 6 digits of fraction that a `datetime` holds."""


class NotInProfile(ValueError):  # noqa: N818 - the name says what is wrong
    """A timestamp is outside the profile of G7. The message is the reason; it never contains the value.

    :ivar where: keys and indexes from the record's root to the timestamp; set by the caller.
    """

    where: tuple[str | int, ...] = ()


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
    try:
        if _is_readable(text) and parse_rfc3339(text) and text[10] == "T" and text[-1] != "z":  # the usual case
            return None
    except ValueError:
        pass
    found = _read(text)
    return found if isinstance(found, str) else None


def in_order(start: str, end: str) -> bool:
    """Return whether both are in the profile (G7) and the end is not earlier (G6). All digits are compared.

    It repeats the code of `parse` instead of calling it, because it runs for every sample.
    """
    in_profile = _is_readable(start) and _is_readable(end)
    try:
        if in_profile:
            first, last = parse_rfc3339(start), parse_rfc3339(end)
            in_profile = start[10] == "T" == end[10] and start[-1] != "z" != end[-1]
    except ValueError:
        in_profile = False
    if not in_profile:
        one, other = _read(start), _read(end)
        if isinstance(one, str) or isinstance(other, str):
            return False
        first, last = one, other
    # Cut to microseconds, two different instants may become equal.
    return first < last or start == end or (first == last and _in_order_below_microseconds(start, end))


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


def with_zone(text: str, zone: ZoneInfo) -> str:
    """Return a timestamp with the offset that `zone` has at that local time (G7). With an offset, it is unchanged.

    A local time that occurs twice, when clocks go back, means the earlier one.

    :raises NotInProfile: if the text is outside the profile, if the zone skips that local time, or if the zone's offset
        at that time had seconds (before time zones were introduced), which the profile can't write.
    """
    return _completed(text, zone, fold=0)


def from_datetime(value: datetime, zone: ZoneInfo | None) -> str:
    """Write a `datetime` in the profile (G7). Without an offset it is local time in `zone`, and `fold` counts.

    :raises NotInProfile: if it has no offset and there is no zone, or for the same reasons as `with_zone`.
    """
    text = value.isoformat()
    if zone is not None:
        return _completed(text, zone, fold=value.fold)
    parse(text)
    return text


def _is_readable(text: str) -> bool:
    """Return whether any `ciso8601` reads a text safely: up to 2.3.3, surrogates crash it and NUL ends a text."""
    return text.isascii() and "\0" not in text


@functools.lru_cache(maxsize=8)
def _read(text: str) -> datetime | str:
    """Return the timestamp, or why it can't be read. Cached: it is called several times for a rejected text."""
    if not _is_readable(text):
        return _why_not(text)
    try:
        moment = parse_rfc3339(text)
    except ValueError:  # nothing is raised inside: this error quotes the value, and a traceback would show it
        return _read_slowly(text)
    return moment if text[10] == "T" and text[-1] != "z" else _why_not(text)


def _read_slowly(text: str) -> datetime | str:
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


def _completed(text: str, zone: ZoneInfo, *, fold: int) -> str:
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


@functools.lru_cache(maxsize=256)
def _written(offset: timedelta) -> str:
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest:
        raise NotInProfile("has an offset from UTC with seconds")
    hours, minutes_of_hour = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{minutes_of_hour:02}"


def _in_order_below_microseconds(start: str, end: str) -> bool:
    if len(start) <= _LONGEST_EXACT and len(end) <= _LONGEST_EXACT:
        return True
    return _below_microseconds(start) <= _below_microseconds(end)


def _below_microseconds(text: str) -> str:
    """Return the fraction's digits from the seventh on. Without trailing zeros, texts sort like the numbers."""
    return (_profile(text)["fraction"] or "")[6:].rstrip("0")


def _why_not(text: str) -> str:
    """Return why a text that can't be read is outside the profile."""
    shaped = _RIGHT_SHAPE.fullmatch(text)
    if shaped is None:
        reasons = (reason for pattern, reason in _NEAR_MISSES if pattern.fullmatch(text))
        return next(reasons, "is not ISO 8601 in the extended form")
    if not _OFFSET_IN_RANGE.fullmatch(shaped["offset"]):
        return "has an offset from UTC that is out of range"
    return "is not a valid time of day"
