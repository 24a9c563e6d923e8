"""GeroSense samples from columns of values, many at once. What is not plainly valid is left to the check of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import countOf
from typing import Any, TypeAlias, get_args

import msgspec

from airflow_provider_userdata.records import each
from airflow_provider_userdata.vendors.gerosense_sample import OPTIONAL_FIELDS, Sample, Unit, maybe_invalid_columns
from airflow_provider_userdata.vendors.validation import cell_value, is_utf_8, plain, plain_number, timestamps

Kinds: TypeAlias = tuple[type[Any], ...]
PASSES = Sample(
    device_name="-", start_date="2024-05-01T00:00:00Z", end_date="2024-05-01T00:00:01Z", unit="count", value=1
)
"""Takes the place of a sample that can't be made, while the columns are checked."""
_TEXT: Kinds = (str,)
_OPTIONAL_TEXT: Kinds = (str, type(None))
_NUMBER: Kinds = (int, float)
_UNITS = frozenset(get_args(Unit))
_MOST_CERTAIN = 1e15
"""Above this, a number is left to the check of one: it may be infinite, or too large for JSON."""
_NUMBERS = re.compile(r"[-+.,0-9eE]+")
"""Numbers with commas between them, as JSON has them: without blanks, which no cell with a number has."""


def samples_of(
    columns: Mapping[str, Sequence[Any]], timestamp: Callable[[Any], Any], *, zoned: bool, texts: bool
) -> tuple[list[Sample], set[int]]:
    """Return a sample for each row, and the indexes of those that may be invalid: they are to be checked alone.

    :param columns: by the names of a sample's fields, the required ones at least.
    :param timestamp: writes a date and time as text; raises `NotInProfile` if it can't.
    :param zoned: whether texts without an offset get one.
    :param texts: whether the values are cells of a text file: numbers are texts, and an empty one is absent.
    """
    odd: set[int] = set()
    names = _encodable(_typed(columns["device_name"], _TEXT, plain, PASSES.device_name, odd), odd)
    starts = _times(columns["start_date"], timestamp, _TEXT, odd, zoned=zoned)
    units = _typed(columns["unit"], _TEXT, plain, PASSES.unit, odd)
    if not _UNITS.issuperset(units):
        odd.update(place for place, unit in enumerate(units) if unit not in _UNITS)
        units = [unit if unit in _UNITS else PASSES.unit for unit in units]
    values = _numbers(columns["value"], odd, texts=texts)
    versions, ends = (_without_empty(column) if texts else column for column in _optional(columns))
    versions = _encodable(_typed(versions, _OPTIONAL_TEXT, plain, None, odd), odd)
    ends = _times(ends, timestamp, _OPTIONAL_TEXT, odd, zoned=zoned)
    samples = [
        Sample(start_date=start, device_name=name, device_version=version, end_date=end, unit=unit, value=value)
        for start, name, version, end, unit, value in zip(starts, names, versions, ends, units, values, strict=True)
    ]
    odd.update(maybe_invalid_columns(names, starts, ends, units, values))
    return samples, odd


def _optional(columns: Mapping[str, Sequence[Any]]) -> list[Sequence[Any]]:
    nothing = list(repeat(None, len(columns["value"])))
    return [columns.get(name, nothing) for name in OPTIONAL_FIELDS]


def _typed(
    column: Sequence[Any], kinds: Kinds, convert: Callable[[Any], Any], instead: Any, odd: set[int]
) -> Sequence[Any]:
    """Return a column of values of some types; where one has another type, and can't be converted, it is odd."""
    if _are(column, kinds):
        return column
    column = [value if type(value) in kinds else convert(value) for value in column]
    if _are(column, kinds):
        return column
    odd.update(place for place, value in enumerate(column) if type(value) not in kinds)
    return [value if type(value) in kinds else instead for value in column]


def _encodable(column: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """Return a column of texts; one that UTF-8 can't encode, as of a file's bad byte, is odd."""
    try:
        "".join(filter(None, set(column))).encode()
    except UnicodeEncodeError:
        bad = {place for place, text in enumerate(column) if text and not is_utf_8(text)}
        odd.update(bad)
        return [PASSES.device_name if place in bad else text for place, text in enumerate(column)]
    return column


def _times(
    column: Sequence[Any], timestamp: Callable[[Any], Any], kinds: Kinds, odd: set[int], *, zoned: bool
) -> Sequence[Any]:
    if not zoned and _are(column, kinds):
        return column
    column, wrong = each(timestamp, map(plain, column), timestamps.NotInProfile, PASSES.start_date)
    odd.update(wrong)
    return _typed(column, kinds, plain, PASSES.start_date, odd)


def _numbers(column: Sequence[Any], odd: set[int], *, texts: bool) -> Sequence[Any]:
    numbers = _typed(_read(column) if texts else column, _NUMBER, plain_number, PASSES.value, odd)
    if _all_certain(numbers):
        return numbers
    odd.update(place for place, value in enumerate(numbers) if not 0 < value < _MOST_CERTAIN)
    # What stands for an odd one must not keep the others from being compared, as NaN would.
    return [value if 0 < value < _MOST_CERTAIN else PASSES.value for value in numbers]


def _all_certain(numbers: Sequence[Any]) -> bool:
    try:
        return bool(min(numbers) > 0 and sum(numbers) < _MOST_CERTAIN)  # a sum with NaN in it is NaN
    except OverflowError:
        return False


def _read(cells: Sequence[Any]) -> Sequence[Any]:
    """Return the numbers in cells, each as `cell_value` returns it: all are decoded at once if that is possible."""
    if _are(cells, _TEXT) and _NUMBERS.fullmatch(joined := ",".join(cells)):
        try:
            numbers: list[Any] = msgspec.json.decode(f"[{joined}]")
        except msgspec.DecodeError:
            numbers = []
        if len(numbers) == len(cells):
            return numbers
    return [cell_value(cell) if isinstance(cell, str) else cell for cell in cells]


def _without_empty(cells: Sequence[Any]) -> Sequence[Any]:
    if _are(cells, _TEXT) and "" not in cells:
        return cells
    return [None if isinstance(cell, str) and not cell else cell for cell in cells]


def _are(column: Sequence[Any], kinds: Kinds) -> bool:
    """Return whether all values have one of some types, the usual one first: counting takes half as long as a set."""
    left = len(column)
    for kind in kinds:
        left -= countOf(map(type, column), kind)
        if not left:
            return True
    return False
