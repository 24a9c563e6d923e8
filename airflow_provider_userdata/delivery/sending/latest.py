"""Remembers something of the users that were seen last: bounded, whatever their number."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Latest(Generic[Value]):
    """Keeps the values that were put or got last.

    :param most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str | None, Value] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str | None) -> Value | None:
        """Return a value, which then counts as seen; None if it isn't known."""
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: str | None, value: Value) -> None:
        """Keep a value; the one that was not seen for longest goes if there are too many."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]
