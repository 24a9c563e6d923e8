"""Lines of a run's files without what they said of a user.

Each is as long as the line that it takes the place of, so that all others stay where they are: checkpoints, marks of
replays and the attempts' seals count bytes or lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.recording.attempt_lines import RECEIPT_FIELDS

_OF_REJECT = ("position", "fate", "rule", "path", "status", "file", "line", "carried_over")
"""What is kept of a reject, in the order of its line."""
_NEEDED = ("position", "fate", "rule")
_FROM_REJECTS = "rejects-"
_encode = msgspec.json.Encoder().encode


def erased_receipt(text: bytes, value: Mapping[str, Any]) -> bytes:
    """Return a receipt's line without what the vendor's receipt says: which request was accepted, when, for how many.

    :param value: what the line says.
    """
    kept = {name: item for name, item in value.items() if name in RECEIPT_FIELDS}
    return _first_that_fits(text, {**kept, "erased": True}, kept)


def erased_reject(text: bytes, value: Mapping[str, Any], hides: Callable[[str], bool]) -> bytes:
    """Return a reject's line without its record and its reason: which record it was, and what became of it.

    :param value: what the line says.
    :param hides: returns whether the name of a file, or a path within the record, contains the user.
    """
    kept = {name: value[name] for name in _OF_REJECT if value.get(name) is not None}
    for name in ("path", "file"):  # where a replay found a reject, the line leads to it: it is named for runs
        text_of = str(kept.get(name, ""))
        if hides(text_of) and not text_of.rpartition("/")[2].startswith(_FROM_REJECTS):
            del kept[name]
    least = {name: kept[name] for name in _NEEDED if name in kept}
    return _first_that_fits(text, {**kept, "erased": True}, {**least, "erased": True})


def erased_original(text: bytes, position: int) -> bytes:
    """Return the line of a row as it was read, without the row."""
    return _first_that_fits(text, {"position": position, "row": {}})


def blank(text: bytes) -> bytes:
    """Return a line that says nothing, for one that can't be read."""
    return padded(b"", text)


def padded(line: bytes, like: bytes) -> bytes:
    """Return a line with blanks at its end, as long as another one.

    :raises ValueError: if it is longer.
    """
    end = b"\n" if like.endswith(b"\n") else b""
    room = len(like) - len(end)
    if len(line) > room:
        raise ValueError("the line is too long")
    return line.ljust(room) + end


def _first_that_fits(like: bytes, *values: Mapping[str, Any]) -> bytes:
    """Return the first of some values that is no longer than a line; nothing if none is, as in lines by hand."""
    fitting = [line for value in values if len(line := _encode(value)) <= len(like.rstrip(b"\n"))]
    return padded(fitting[0] if fitting else b"", like)
