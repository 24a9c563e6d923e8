"""Tells whether a line of a run's files mentions a user. The commands `find` and `erase` have this one rule."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from airflow_provider_userdata.sources import WHOLE

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TEXTS = ("$text", "$base64")
"""How rejects have a line that is not JSON, and bytes that are not UTF-8."""


class Mentions:
    """A user, to be looked for in records: any value that is exactly the user, at any depth, as text or as a number.

    In a text that can't be read as a record, the user counts where no other letters or digits touch it.

    :param user: the user's id or label.
    :param fields: the fields that hold users; any other value doesn't count. Empty: all fields count.
    """

    def __init__(self, user: str, fields: Collection[str] = ()) -> None:
        self.user = user
        self._fields = frozenset(fields)
        self._needle = user.encode("utf-8", "surrogatepass")
        itself = "|".join(map(re.escape, {user, json.dumps(user)[1:-1]}))
        before = rf"(?:{'|'.join(map(re.escape, fields))})\W{{1,8}}" if fields else r"(?<![\w.@+-])"
        self._in_text = re.compile(rf"{before}(?:{itself})(?![\w@+-]|\.\w)")
        self._in_name = re.compile(rf"(?<!\w){re.escape(user)}(?!\w)")

    @property
    def is_ambiguous(self) -> bool:
        """Whether others' records may well hold the same value: a number, and nobody has said in which fields."""
        return _NUMBER.fullmatch(self.user) is not None and not self._fields

    def may_be_in(self, text: bytes) -> bool:
        """Return whether lines may mention the user. JSON writes a character as it is, or with a backslash."""
        return self._needle in text or b"\\" in text or b'"$base64"' in text

    def fields_in(self, record: Any) -> set[str]:
        """Return the names of a record's fields that hold the user; `record` for a record without fields."""
        return {name for name, value in _values(record) if self._counts(name) and self._is_user(value)} | {
            WHOLE for text in _texts(record) if self.is_in_text(text)
        }

    def is_in_text(self, text: str) -> bool:
        """Return whether a text that is not a record mentions the user."""
        return self._in_text.search(text) is not None

    def is_in_name(self, name: str | None) -> bool:
        """Return whether a name, such as that of a file, contains the user."""
        return name is not None and self._in_name.search(name) is not None

    def are_in_cells(self, cells: Any) -> bool:
        """Return whether cells without names hold the user. With fields, a number among them may be anything."""
        unclear = bool(self._fields) and _NUMBER.fullmatch(self.user) is not None
        return not unclear and any(self._is_user(value) for _, value in _values(cells))

    def _counts(self, name: str) -> bool:
        return not self._fields or name in self._fields

    def _is_user(self, value: Any) -> bool:
        if isinstance(value, str):
            return value == self.user
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, float) and value.is_integer():  # as libraries make of integers beside missing ones
            return self.user in (str(value), str(int(value)))
        try:
            return str(value) == self.user
        except ValueError:  # Python refuses to write thousands of digits in decimal form
            return False


def decoded(text: bytes) -> Any:
    """Return a line's JSON; None if it can't be read."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _values(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield a record's single values, each with the name of its field."""
    pending = [(WHOLE, record)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            marked = len(value) == 1 and next(iter(value)).startswith("$")
            pending += [(name if marked else str(key), item) for key, item in value.items()]
        elif isinstance(value, list):
            pending += [(name, item) for item in value]
        else:
            yield name, value


def _texts(record: Any) -> Iterator[str]:
    """Yield the text of a record that could not be read, as rejects have it."""
    if isinstance(record, str):
        yield record
    if isinstance(record, dict) and len(record) == 1:
        ((name, text),) = record.items()
        if name in _TEXTS and isinstance(text, str):
            yield text if name == "$text" else _plain(text)


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text).decode(errors="replace")
    except ValueError:
        return ""
