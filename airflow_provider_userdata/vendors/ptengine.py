"""Ptengine: user attributes, up to 100 users a request (P1 to P12)."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from airflow_provider_userdata.records import JsonLines, Record, RecordBatch, array_of, groups_of, lines_of, users_of
from airflow_provider_userdata.vendors.answers import Accepted, Answer, Meaning, no_receipt, shared_meaning
from airflow_provider_userdata.vendors.contract import (
    BatchLimits,
    Checked,
    Compared,
    LedgerMode,
    Request,
    Table,
    Vendor,
)
from airflow_provider_userdata.vendors.validation import (
    NAN,
    Fault,
    Invalid,
    Schema,
    compiled,
    is_nan,
    names_of,
    plain,
    rule,
    schema_of,
    user_name,
)

PROFILES_PATH = "/v1/user/profiles"
USER_ID = "user_id"
MOST_USERS = 100
MOST_FIELDS = 50
MOST_NAME_CHARACTERS = 50
MOST_VALUE_CHARACTERS = 128

_Name = Annotated[str, Meta(min_length=1, max_length=MOST_NAME_CHARACTERS), rule("P3")]
_Value = Annotated[str, Meta(max_length=MOST_VALUE_CHARACTERS), rule("P4")]
_USER_ID = {
    "type": "string",
    "pattern": r"\S",
    "maxLength": MOST_VALUE_CHARACTERS,
    "x-rule": "P7",
    "x-rules": {"required": "P3", "maxLength": "P4"},
}
Profile = Annotated[
    dict[_Name, _Value],
    Meta(max_length=MOST_FIELDS),
    rule("P3", required=[USER_ID], properties={USER_ID: _USER_ID}, propertyNames=names_of(_Name)),
]
"""A user's attributes as text, `user_id` among them."""


class ProfilesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request: names once, then a row of values a user, in the names' order (P2)."""

    field_name: Annotated[
        list[_Name], Meta(min_length=1, max_length=MOST_FIELDS), rule("P3", contains={"const": USER_ID})
    ]
    values: Annotated[
        list[Annotated[list[_Value], Meta(min_length=1, max_length=MOST_FIELDS)]],
        Meta(min_length=1, max_length=MOST_USERS),
        rule("P4"),
    ]


def profile_schema() -> Schema:
    """Generate the JSON Schema of a user's attributes as they are sent."""
    return schema_of(Profile, "A Ptengine user's attributes")


def request_schema() -> Schema:
    """Generate the JSON Schema of a request's body."""
    return schema_of(ProfilesRequest, "A Ptengine request")


_faults = compiled(profile_schema(), default_rule="P3")
_Layout = tuple[tuple[str, ...], Callable[[Sequence[Any]], tuple[Any, ...]]]
"""The names of some profiles as they are sent, and what brings a profile's values into their order."""
_first = itemgetter(0)
_encode = msgspec.json.Encoder().encode
_NO_UTF_8 = (Fault("P1", (), "contains a character that UTF-8 can't encode"),)
"""The one fault that the schema doesn't know."""
_TOO_LONG = "9" * (MOST_VALUE_CHARACTERS + 1)
"""Replaces a number that is too long to be written or sent."""


@dataclass(frozen=True, slots=True)
class Ptengine(Vendor):
    """The contract of Ptengine's user attributes.

    :param omits_empty: whether an empty value leaves the attribute as it is; otherwise it empties the attribute (P5).
    """

    omits_empty: bool = False

    name: ClassVar[str] = "ptengine"
    limits: ClassVar[BatchLimits] = BatchLimits(maximum=MOST_USERS, user_once=True)
    kept: ClassVar[LedgerMode] = LedgerMode.STATES
    suspect_rule: ClassVar[str] = "P11"
    rules: ClassVar[Mapping[str, str]] = {
        "P1": "cannot be written as JSON",
        "P2": "not an object",
        "P3": f"user_id missing, over {MOST_FIELDS} fields, or a name over {MOST_NAME_CHARACTERS} characters",
        "P4": f"longer than {MOST_VALUE_CHARACTERS} characters",
        "P6": "a value without a form as text",
        "P7": "user_id blank, or neither text, integer nor UUID",
        "P9": "a 200 without the word Success",
        "P10": "refused by Ptengine",
        "P11": "refused together with others",
    }
    resend_is_harmless: ClassVar[bool] = True
    known_fields: ClassVar[frozenset[str]] = frozenset({USER_ID, "field_name", "values"})

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check a user's attributes, and convert each value to text (P6)."""
        if not isinstance(value, dict):
            return Invalid((Fault("P2", (), "is not an object"),))
        texts: dict[str, str] = {}
        for name, item in value.items():
            if not isinstance(name, str):
                return Invalid((Fault("P3", (), "has a key that is not a string"),))
            text = item if type(item) is str else _as_text(item)
            if text is None or (name == USER_ID and user_name(item) is None):
                return Invalid((_value_fault(str.__str__(name), item),))
            texts[str.__str__(name)] = text
        return self.prepare_cells(tuple(texts), list(texts.values()))

    def prepare_cells(self, names: tuple[str, ...], cells: Sequence[Any]) -> Record | Invalid:
        """Check a user's attributes in cells; text is sent unchanged."""
        if set(map(type, cells)) - {str}:
            return self.prepare_value(dict(zip(names, cells, strict=True)))
        if self.omits_empty and "" in cells:
            kept = [(name, cell) for name, cell in zip(names, cells, strict=True) if cell or name == USER_ID]
            names, cells = tuple(name for name, _ in kept), [cell for _, cell in kept]
        try:
            ordered, pick = _layout(names)
            values = pick(cells)
            if _are_sendable([values]):
                return Record(_encode(values), ordered, values[0])
        except (msgspec.ValidationError, UnicodeEncodeError):
            pass
        return Invalid(_faults(dict(zip(names, cells, strict=True))) or _NO_UTF_8)

    def prepare_table(self, table: Table, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check many users' attributes of the same names at once; if one is invalid, check each alone."""
        try:
            ordered, pick = _layout(table.names)
            columns = pick([_texts_of(name, column) for name, column in zip(table.names, table.columns, strict=True)])
            values = list(zip(*columns, strict=True))
            if _are_sendable(values) and not (self.omits_empty and any("" in column for column in columns)):
                users = list(map(_first, values))
                return Checked(RecordBatch(rows, positions, JsonLines.of(values, MOST_USERS), users, ordered), [])
        except (msgspec.ValidationError, UnicodeEncodeError):
            pass
        return Vendor.prepare_table(self, table, rows, positions)

    def compared(self, records: Sequence[Record]) -> Compared:
        """Return each user, and its attributes with their names: the last row that was sent, not all rows (P5)."""
        users = [user or "" for user in users_of(records)]
        names = map(_names_as_sent, groups_of(records))
        return Compared(users, list(map(operator.add, names, lines_of(records))))

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with users of the same names."""
        before = b'{"field_name":%b,"values":' % _names_as_sent(groups_of(records)[0])
        return Request(PROFILES_PATH, (before, *array_of(records), b"}"))

    def meaning(self, answer: Answer) -> Meaning:
        """Return what an answer means: 200 counts only with the word `Success` (P9)."""
        if answer.status == 200:
            body = answer.json()
            if isinstance(body, dict) and body.get("msg") == "Success":
                return Accepted()
            return no_receipt(answer, "P9", "not `Success`")
        return shared_meaning(answer, refusal_rule="P10")


@functools.lru_cache(maxsize=1024)
def _names_as_sent(names: tuple[str, ...]) -> bytes:
    return _encode(names)


@functools.lru_cache(maxsize=1024)
def _layout(names: tuple[str, ...]) -> _Layout:
    """Return one order for a set of keys, `user_id` first, so that users with the same keys share a request (P5).

    :raises msgspec.ValidationError: if the names, or how many there are, are not the contract's.
    :raises UnicodeEncodeError: if a name can't be sent.
    """
    msgspec.convert(dict.fromkeys(names, ""), Profile)
    "".join(names).encode()
    if USER_ID not in names:
        raise msgspec.ValidationError("lacks the user")
    places = sorted(range(len(names)), key=lambda place: (names[place] != USER_ID, names[place]))
    pick = itemgetter(*places) if len(places) > 1 else tuple
    return tuple(names[place] for place in places), pick


def _are_sendable(profiles: Sequence[tuple[str, ...]]) -> bool:
    """Return whether all values may be sent; the first of each profile is the user (P4, P7).

    :raises UnicodeEncodeError: if one of them can't be.
    """
    texts = list(chain.from_iterable(profiles))
    together = "".join(texts)
    if not together.isascii():
        together.encode()
    return max(map(len, texts), default=0) <= MOST_VALUE_CHARACTERS and all(map(str.strip, map(_first, profiles)))


def _texts_of(name: str, column: Sequence[Any]) -> Sequence[str]:
    """Return a column's values as text (P6).

    :raises msgspec.ValidationError: if one can't be written as text, or can't identify a user.
    """
    if set(map(type, column)) == {str}:
        return column
    texts = [value if type(value) is str else _as_text(value) for value in column]
    if None in texts or (name == USER_ID and None in map(user_name, column)):
        raise msgspec.ValidationError("a value without a form as text")
    return texts  # type: ignore[return-value]  # no None among them


def _value_fault(name: str, value: object) -> Fault:
    rule = "P7" if name == USER_ID else "P6"
    if is_nan(value):
        return Fault(rule, (name,), NAN)
    if name == USER_ID:
        return Fault(rule, (name,), "is not a text, an integer or a UUID")
    return Fault(rule, (name,), f"is of type {type(value).__name__}, which can't be written as text")


def _as_text(value: object) -> str | None:
    """Return a value as text, or None if it can't be written as text (P6)."""
    write = _TEXTS.get(type(value)) or _TEXTS.get(type(value := plain(value)))
    if write:
        return write(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    return value.isoformat() if isinstance(value, datetime | date | time) else None


def _integer_text(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write an integer of thousands of digits: it is too long here as well
        return _TOO_LONG


def _decimal_text(value: float | Decimal) -> str | None:
    """Return a number in full, without an exponent; None if it is not finite."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    number = Decimal(text)
    if not number.is_finite():
        return None
    if abs(number.adjusted()) > MOST_VALUE_CHARACTERS:  # written in full it could fill the memory
        return _TOO_LONG
    return format(number, "f") if "e" in text.lower() else text


_TEXTS: Mapping[type, Callable[[Any], str | None]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    str: str,
    int: _integer_text,
    float: _decimal_text,
}
