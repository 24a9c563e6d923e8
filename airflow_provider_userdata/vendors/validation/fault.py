"""What is wrong with a record, and where in it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

MOST_FAULTS = 20
"""How many faults of one record are reported at most."""
UNCHECKABLE = "contains a value that can't be checked"


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Why a record is not valid.

    :param rule: the broken rule's number in the vendors' contracts.
    :param where: keys and indexes from the record's root to the fault.
    :param reason: what is wrong, without the value.
    """

    rule: str
    where: tuple[str | int, ...]
    reason: str

    @property
    def path(self) -> str:
        """The full JSON path. It may contain a key of the record: for private files only."""
        return json_path(self.where)

    def public_path(self, known: frozenset[str]) -> str:
        """Return the path for logs and exceptions: keys that the contract doesn't know become `*` (A6)."""
        return json_path(tuple(part if isinstance(part, int) or part in known else "*" for part in self.where))


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """A record that the vendor would refuse, with every fault that was found; the first is the one counted."""

    faults: tuple[Fault, ...]


def json_path(where: Sequence[str | int]) -> str:
    """Write a path as JSON Path does: `$.data[3].value`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
