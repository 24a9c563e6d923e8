"""Values that aren't Python's own, and one that can't be shown."""

from __future__ import annotations


class Int(int):
    """An integer of another type, such as NumPy's."""


class Float(float):
    """A number of another type, such as NumPy's."""


class Odd:
    """An object that can't be shown."""

    def __str__(self) -> str:
        raise RuntimeError("geheim")

    __repr__ = __str__


class XComLike:
    """Stands for a reference to what another task returned."""

    def resolve(self, context: object) -> object:
        """Return the value."""
        return context
