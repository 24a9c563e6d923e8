"""What spreadsheets do to numbers, and to texts that look like them, such as a customer's number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Context, Decimal

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_POINT_AT_AN_END = re.compile(r"[+-]?(?:\.\d+|\d+\.)", re.ASCII)
_EXPONENT = re.compile(r"([+-]?\d(?:[.,]\d+)?)[eE]([+-]?\d{1,4})", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([,.'\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?", re.ASCII)
_SEPARATORS = re.compile(r"[^\d+-]")
_KEPT_DIGITS = 15
"""The digits of a number that spreadsheets keep."""
_SHOWN_DIGITS = 8
"""A rounded number with fewer digits is somebody's: they show more."""


def lost_number_form(before: str, after: str) -> str | None:
    """Return in words what became of a number that is otherwise the same; None if it isn't."""
    was = _number(before)
    if was is None:
        return None
    if (short := _EXPONENT.fullmatch(after)) is not None:
        digits = sum(map(str.isdigit, short[1]))
        now = Decimal(f"{short[1].replace(',', '.')}E{short[2]}")
        return "is written with an exponent" if _rounded(was, digits) == now else None
    found = (_word(before, after, was, now, said) for now, said in _readings(after))
    return next(filter(None, found), None)


def _word(before: str, after: str, was: Decimal, now: Decimal, said: str) -> str | None:
    """Return what became of the number if it may be read as `now`.

    :param said: what is said of the form that it is read in.
    """
    if was != now:
        return _word_of_lost_digits(before, after, was, now)
    if said:
        return said
    if _EXPONENT.fullmatch(before):
        return None
    unsigned = before.lstrip("+-")
    if before.startswith("+") and not after.startswith("+"):
        return "the plus sign is gone"
    if len(unsigned.partition(".")[0]) > len(after.lstrip("+-").partition(".")[0]) and unsigned.startswith("0"):
        return "leading zeros are gone"
    return "zeros after the point are gone" if len(after) < len(before) else None


def _word_of_lost_digits(before: str, after: str, was: Decimal, now: Decimal) -> str | None:
    digits = before.lstrip("+-0")
    if digits.isdigit() and len(digits) > _KEPT_DIGITS and _cut(was, _KEPT_DIGITS) == now:
        return f"digits after the {_KEPT_DIGITS}th became zeros"
    shown = sum(map(str.isdigit, after))
    shorter = "." in before and shown >= _SHOWN_DIGITS and len(after) < len(before)
    return "the last digits are gone" if shorter and _rounded(was, len(now.as_tuple().digits)) == now else None


def _number(text: str) -> Decimal | None:
    """Return a number as a source writes it."""
    if _PLAIN.fullmatch(text) or (_EXPONENT.fullmatch(text) and "," not in text):
        return Decimal(text)
    return None


def _readings(text: str) -> Iterator[tuple[Decimal, str]]:
    """Yield how a number may be read, and what is said of its form; nothing of the plain one."""
    if _PLAIN.fullmatch(text) or _POINT_AT_AN_END.fullmatch(text):
        yield Decimal(text), ""
    if _COMMA.fullmatch(text):
        yield Decimal(text.replace(",", ".")), "a comma stands for the point"
    if (grouped := _GROUPED.fullmatch(text)) is not None:
        whole, mark, rest = _parts(text, grouped[1])
        yield Decimal(_SEPARATORS.sub("", whole) + ("." if mark else "") + rest), "thousands are separated"


def _parts(text: str, separator: str) -> tuple[str, str, str]:
    """Return a number before its point, the point, and what follows it."""
    for mark in ".,":
        if mark != separator and mark in text:
            return text.partition(mark)
    return text, "", ""


def _rounded(number: Decimal, digits: int) -> Decimal:
    return Context(prec=max(digits, 1), rounding=ROUND_HALF_UP).plus(number)


def _cut(number: Decimal, digits: int) -> Decimal:
    return Context(prec=digits, rounding="ROUND_DOWN").plus(number)
