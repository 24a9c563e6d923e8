"""The words of `fields`: where a vendor's field comes from, if not from a column as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from airflow_provider_userdata.delivery.preparing.moments import reader_of
from airflow_provider_userdata.vendors.validation import cell_value, plain


class Unfit(NamedTuple):
    """Takes the place of a value that can't be converted: its record is rejected.

    :param reason: why it can't be, without the value.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Column:
    """A value within nested records: `Column("data.hr.value")` is `record["data"]["hr"]["value"]`.

    :param path: names, and indexes of lists, with dots between them. A name with a dot in it can't be written here.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every record: `Constant("count/min")`.

    :param value: the value, of any type that the vendor's field takes.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Number:
    """A text as the number that it is written as: `"76"` becomes 76. Other values are unchanged, also an empty text.

    A text that is not a number, as JSON writes one, is a reject.

    Cells of CSV and TSV files need no `Number` where the vendor's field is a number.

    :param column: the column, or a `Column`.
    """

    column: str | Column


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A date and time of another form, which is written anew as ISO 8601 with its offset from UTC.

    :param column: the column, or a `Column`.
    :param format: how it is written: a format of Python's `strptime` such as `"%Y-%m-%d %H:%M:%S %z"`; `epoch_s` or
        `epoch_ms`, seconds or milliseconds since 1970; or `iso`, ISO 8601 also with a space or nothing for the `T`, or
        without colons. Default: `iso`.
    :param timezone: the zone of local times, which have no offset: a `tzinfo`, or a name such as `"Asia/Tokyo"`. A
        local time that the zone's clocks show twice, or never, is rejected, unless it ends with the offset that is
        meant, such as `+02:00`, or with `Z` for UTC: that is read after any format without `%z`, too. None (the
        default) rejects times without an offset.
    """

    column: str | Column
    format: str = "iso"
    timezone: str | tzinfo | None = None


Word: TypeAlias = str | Column | Constant | Number | Timestamp
"""What `fields` may say of a vendor's field; a text is a column's name."""


def source_of(word: Word) -> str | Column | None:
    """Return where a field's value stands; None for a constant, which stands nowhere.

    :raises ValueError: if it is not a place that can be.
    """
    if isinstance(word, Constant):
        return None
    source = word.column if isinstance(word, Number | Timestamp) else word
    if isinstance(source, Column) and not (isinstance(source.path, str) and all(source.path.split("."))):
        raise ValueError("a Column needs names with dots between them, such as Column('data.hr.value')")
    if not isinstance(source, Column) and not (isinstance(source, str) and source):
        raise ValueError(f"a column's name is a text that isn't empty, not of type {type(source).__name__}")
    return source


def conversion_of(word: Word) -> Callable[[Any], Any] | None:
    """Return the function that converts a value, or returns `Unfit`; None if the value is taken unchanged.

    :raises ValueError: if a `Timestamp` has no such format or time zone.
    """
    if isinstance(word, Number):
        return _number
    if not isinstance(word, Timestamp):
        return None
    read = reader_of(word.format, _zone(word.timezone))

    def converted(value: Any) -> Any:
        if plain(value) is None or _is_empty(value):
            return value  # a missing time: the vendor's rule says what that means
        try:
            return read(value)
        except ValueError as error:
            return Unfit(str(error))

    return converted


def _zone(timezone: object) -> tzinfo | None:
    if timezone is None or isinstance(timezone, tzinfo):
        return timezone
    try:
        return ZoneInfo(timezone)  # type: ignore[arg-type]  # a wrong type raises, too
    except (ValueError, OSError, KeyError, TypeError, AttributeError):
        raise ValueError("a Timestamp's timezone is a tzinfo or the name of one, such as 'Asia/Tokyo'") from None


def _number(value: Any) -> Any:
    if not isinstance(value, str) or _is_empty(value):
        return value
    text = value.strip()
    number = cell_value(text)
    if isinstance(number, str):
        return Unfit("is not a number")
    exact = not isinstance(number, float) or Decimal(repr(number)) == Decimal(text)
    return number if exact else Decimal(text)


def _is_empty(value: object) -> bool:
    return isinstance(value, str) and not value
