"""Writes the lines of the rejects file: what was rejected, held or is unknown, why, and the record itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from airflow_provider_userdata.delivery.reading import Unreadable
from airflow_provider_userdata.delivery.recording.append_log import AppendLog
from airflow_provider_userdata.delivery.recording.lossless_json import Written, row_json
from airflow_provider_userdata.delivery.recording.origins import Origins
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.vendors.validation import json_path

_WHOLE = (None, json_path(()))
"""The paths of faults that concern a record as a whole."""
_encoder = msgspec.json.Encoder(decimal_format="number")


class Rejection(msgspec.Struct, frozen=True):
    """Why a record was not delivered, as its line in the rejects file says it.

    :param path: where in the record the fault is.
    :param status: of the vendor's answer, where there was one.
    :param carried_over: whether the task's next run sends the record first.
    """

    fate: Fate
    rule: str
    reason: str
    path: str | None = None
    status: int | None = None
    carried_over: bool = False


class _Line(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """A line of the rejects file: its fields have the order that they have there. Only a file's rows have its line.

    :param carried_in: whether an earlier run held the record: it has the vendor's field names, not its source's.
    :param written: how the record is written, for whoever reads it back.
    :param columns: of the table, where the record is a row with more or fewer cells.
    """

    position: int
    fate: Fate
    rule: str
    path: str | None
    reason: str | None
    status: int | None
    file: str | None = None
    line: int | None = None
    carried_over: bool = False
    carried_in: bool = False
    written: Written = "json"
    columns: tuple[str, ...] | None = None
    record: msgspec.Raw


def write_rejects(rejects: AppendLog, rows: Sequence[tuple[int, object, Rejection]], origins: Origins) -> None:
    """Append a line for each row, which comes with its position, and why it was not delivered."""
    lines = _encoder.encode_lines([_line(position, row, why, origins) for position, row, why in rows])
    rejects.append(lines.removesuffix(b"\n"))


def _line(position: int, row: object, why: Rejection, origins: Origins) -> _Line:
    file, line = origins.of(position)
    record, written = row_json(row, was_read=why.path not in _WHOLE)  # a fault inside the record: it was parsed
    return _Line(
        position=position,
        fate=why.fate,
        rule=why.rule,
        path=_utf8(why.path),
        reason=_utf8(why.reason),
        status=why.status,
        file=_utf8(file),
        line=line,
        carried_over=why.carried_over,
        carried_in=origins.is_held(position),
        written=written,
        columns=row.header.names if type(row) is Unreadable and row.header is not None else None,
        record=record,
    )


def _utf8(text: str | None) -> str | None:
    """Replace what UTF-8 can't encode, such as lone surrogates in a key, with question marks."""
    return text if text is None or text.isascii() else text.encode(errors="replace").decode()
