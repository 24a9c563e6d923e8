"""An upload as the page gets it: what its task shows of itself, beside what Airflow knows of the task."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from airflow_provider_userdata.upload_status import UploadStatus

_ONLY_IN_FULL = ("rate", "attempts", "faults")
"""What a list of uploads leaves out: it is most of their bytes."""
ListedStatus = msgspec.defstruct(
    "ListedStatus",
    [
        (one.name, one.type, msgspec.field(default=one.default, default_factory=one.default_factory))  # type: ignore[call-overload]
        for one in msgspec.structs.fields(UploadStatus)
        if one.name not in _ONLY_IN_FULL
    ],
    frozen=True,
    kw_only=True,
)
"""What a task shows of its upload, as a list has it."""
Shown = TypeVar("Shown")


class Row(msgspec.Struct, Generic[Shown], frozen=True, kw_only=True):
    """An upload, and its task instance, whose state is the truth: a task that was killed can't say so itself.

    :param map_label: the label of a mapped task instance; None if it has none.
    :param upload: what the task shows; None if Airflow keeps it elsewhere.
    :param elsewhere: whether it is in the store of an XCom backend, where this doesn't look.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    map_label: str | None
    state: str | None
    started: datetime | None
    ended: datetime | None
    try_number: int | None
    max_tries: int | None
    operator: str | None
    upload: Shown | None
    elsewhere: bool


def status_in(value: str, decoder: msgspec.json.Decoder[Shown]) -> Shown | None:
    """Return the status in an XCom's value, which some Airflows store as JSON within JSON; None for anything else.

    Airflow's own way to decode a value is not taken: anybody can write an XCom, also one that names a class.
    """
    try:
        return decoder.decode(msgspec.json.decode(value, type=str) if value.startswith('"') else value)
    except msgspec.DecodeError:
        return None


def is_text(value: str | None) -> bool:
    """Return whether an XCom's value is a text."""
    return value is not None and value.startswith('"')
