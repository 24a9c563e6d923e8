"""The lines of a rejects file as they are read again, with the records that they are about."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_userdata.delivery.reading import Header, Unreadable
from airflow_provider_userdata.delivery.recording.attempt_lines import Count
from airflow_provider_userdata.delivery.recording.lossless_json import Written
from airflow_provider_userdata.delivery.recording.lossless_values import cells_of, row_of
from airflow_provider_userdata.delivery.report import Fate


class RejectedLine(msgspec.Struct, frozen=True):
    """A line of a rejects file.

    :param carried_over: whether the task's next run sends the record first.
    :param carried_in: whether an earlier run held the record: it has the vendor's field names, not its source's.
    :param written: how the record is written.
    :param columns: of the table, where the record is a row with more or fewer cells.
    :param erased: whether the record was erased, on behalf of the user whom it was about: it is null.
    """

    position: Count
    fate: Fate
    rule: str
    path: str | None = None
    reason: str | None = None
    status: int | None = None
    file: str | None = None
    line: int | None = None
    carried_over: bool = False
    carried_in: bool = False
    written: Written = "json"
    columns: tuple[str, ...] | None = None
    erased: bool = False
    record: msgspec.Raw = msgspec.Raw(b"null")

    def row(self) -> object:
        """Return the record as its source had it: JSON as bytes, anything else as a value."""
        if self.columns is not None:
            return Unreadable(cells_of(bytes(self.record)), self.reason or "", Header(self.columns))
        return row_of(bytes(self.record), self.written)

    def value(self) -> Any:
        """Return the record as the line has it, for people: as JSON's types, where it has others with marks."""
        return msgspec.json.decode(self.record)
