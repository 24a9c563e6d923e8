"""Groups the lines of rejects files by what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from airflow_provider_userdata.delivery import Fate
from airflow_provider_userdata.delivery.recording import RejectedLine

MOST_GROUPS = 10_000
"""Different faults that are told apart. Those after them are counted together, by rule."""
MOST_FIRST = 3
"""Records that are shown of each group."""
ERASED = "was erased, for its user"
"""The reason of a record that is gone."""
_OTHERS = "other reasons"


@dataclass
class Group:
    """Records that are not delivered for the same reason.

    :param attempt: Airflow's number of the attempt that wrote the lines.
    :param first: its first records.
    """

    attempt: int
    rule: str
    fate: Fate
    path: str | None
    reason: str | None
    status: int | None
    count: int = 0
    first: list[RejectedLine] = field(default_factory=list)

    def as_dict(self, *, values: bool) -> dict[str, Any]:
        """Return it as JSON's types.

        :param values: whether to include the records themselves.
        """
        shown = {name: getattr(self, name) for name in ("attempt", "rule", "fate", "count", "path", "reason", "status")}
        return {**shown, "first": [_place(record, values=values) for record in self.first]}


class RejectGroups:
    """Groups lines, and counts those that can't be read.

    :param rule: the only rule that counts; None for all.
    :param is_open: whether a record, by its position, is still not delivered; None counts all.
    """

    def __init__(self, rule: str | None = None, is_open: Callable[[int], bool] | None = None) -> None:
        self._rule = rule
        self._is_open = is_open
        self._groups: dict[tuple[object, ...], Group] = {}
        self._decoder = msgspec.json.Decoder(RejectedLine)
        self.unreadable = 0

    def add(self, attempt: int, lines: Iterable[bytes]) -> None:
        """Add the lines of an attempt's file. A damaged line is counted, and passed over."""
        for text in lines:
            try:
                line = self._decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.unreadable += text.endswith(b"\n")  # one without is being written, or a crash tore it
                continue
            wanted = line.fate is not Fate.UNCHANGED and self._rule in (None, line.rule)
            if wanted and (self._is_open is None or self._is_open(line.position)):
                self._add(attempt, line)

    def most_frequent(self) -> list[Group]:
        """Return the groups of the last attempts first, and of these the largest."""
        return sorted(self._groups.values(), key=lambda group: (-group.attempt, -group.count))

    def _add(self, attempt: int, line: RejectedLine) -> None:
        path, reason, status = line.path, ERASED if line.erased else line.reason, line.status
        key = (attempt, line.rule, line.fate, path, reason, status)
        if key not in self._groups and len(self._groups) >= MOST_GROUPS:
            path, reason, status = None, _OTHERS, None
            key = (attempt, line.rule, line.fate, path, reason, status)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(attempt, line.rule, line.fate, path, reason, status)
        group.count += 1
        if len(group.first) < MOST_FIRST:
            group.first.append(line)


def place_of(record: RejectedLine, file: str | None = None) -> str:
    """Return where a record is in its file, in words; in a source without files, its number from 0.

    :param file: what the file is called. Default: its path.
    """
    file = file or record.file
    if file is None:
        return f"record {record.position}"
    return f"{file}:{record.line}" if record.line is not None else f"{file}, record {record.position}"


def _place(record: RejectedLine, *, values: bool) -> dict[str, Any]:
    """Return where a record is in the source."""
    place: dict[str, Any] = {"position": record.position, "file": record.file, "line": record.line}
    return {**place, "record": record.value()} if values else place
