"""What a task shows of its upload, as the XCom `userdata_upload`: counts, times and rules, nothing of a record (A6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

KEY = "userdata_upload"
"""The XCom's key. Pages find uploads by it, so nothing else may use it."""
MOST_REASONS = 50
MOST_FAULTS = 5
MOST_POINTS = 120
"""Points of the rate over time. When all are used, every second one is dropped."""
MOST_ATTEMPTS = 20
LONGEST_TEXT = 250

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Answers = Literal["2xx", "3xx", "4xx", "429", "5xx", "none"]


WaitsFor = Literal["maintenance", "too_many_requests", "retry_after", "retry"]
"""Why an upload waits."""


class Waiting(msgspec.Struct, frozen=True):
    """What an upload waits for before it sends anything more.

    :param why: `maintenance` (G13), `too_many_requests` (a 429), `retry_after` (another answer asked
        for a pause), or `retry` (the vendor failed or gave no answer, and is tried again).
    :param until: when it goes on, or asks again.
    """

    why: WaitsFor
    until: _Moment


class EarlierAttempt(msgspec.Struct, frozen=True):
    """An attempt before this one.

    :param number: Airflow's number of the attempt.
    :param delivered: how many records the run had delivered when the attempt ended.
    :param ended: when it was last known to be alive; None if unknown.
    """

    number: _Count
    delivered: _Count
    ended: _Moment | None = None


class UploadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One upload, as far as it is.

    :param v: the version of this form.
    :param vendor: the connection type.
    :param kind: the kind of records, such as an upload type or a data type; empty if the vendor has one only.
    :param conn_id: the Airflow connection.
    :param label: what a mapped task uploads, in words; empty if unknown.
    :param state: `delivering`; `waiting`; `deferred` (a long wait without a worker slot); `done`; `rejected` (done, but
        more records are rejected or unknown than the task allows); `failed`; `stopped` (killed, or timed out).
    :param error: the name of the error that ended it, such as `VendorDownError`; empty if there is none.
    :param resume: whether the next attempt goes on where this one ends.
    :param replay: whether it sends the rejects of earlier runs again.
    :param total: how many records the source has; None if unknown.
    :param rejected: `invalid` (never sent) and `refused` (by the vendor) together.
    :param valid: with `validate_only`, records that could be sent; `would_send` requests would carry them.
    :param requests: how many requests were answered how; `none` had no answer.
    :param seconds_left: None if unknown.
    :param reasons: how many records each rule kept from being delivered, the most frequent ones.
    :param faults: what is wrong with most invalid records, such as `G8 $.unit is missing`, with their number.
    :param rate: points of seconds since the attempt's start, and the records delivered by then.
    :param attempts: the attempts before this one.
    """

    v: Literal[1] = 1
    vendor: _Text
    kind: _Text = ""
    conn_id: _Text = ""
    label: _Text = ""
    state: Literal["delivering", "waiting", "deferred", "done", "rejected", "failed", "stopped"]
    error: _Text = ""
    started: _Moment
    updated: _Moment
    attempt: _Count = 1
    validate_only: bool = False
    incremental: bool = False
    resume: bool = True
    replay: bool = False
    read: _Count = 0
    total: _Count | None = None
    delivered: _Count = 0
    rejected: _Count = 0
    invalid: _Count = 0
    refused: _Count = 0
    held: _Count = 0
    unchanged: _Count = 0
    unknown: _Count = 0
    valid: _Count = 0
    would_send: _Count = 0
    resent: _Count = 0
    requests: dict[_Answers, _Count] = {}
    retries: _Count = 0
    bytes: _Count = 0
    in_flight: _Count = 0
    max_in_flight: _Count = 0
    waiting: Waiting | None = None
    seconds: _Seconds = 0.0
    seconds_left: _Seconds | None = None
    reasons: Annotated[dict[_Text, _Count], msgspec.Meta(max_length=MOST_REASONS)] = {}
    faults: Annotated[dict[_Text, _Count], msgspec.Meta(max_length=MOST_FAULTS)] = {}
    rate: Annotated[list[tuple[_Seconds, _Count]], msgspec.Meta(max_length=MOST_POINTS)] = []
    attempts: Annotated[list[EarlierAttempt], msgspec.Meta(max_length=MOST_ATTEMPTS)] = []

    def as_dict(self) -> dict[str, Any]:
        """Return it as the XCom's value: JSON's types alone."""
        value: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return value


def upload_status(value: object) -> UploadStatus | None:
    """Return the status in an XCom's value; None if anybody else wrote something there, or another version."""
    try:
        return msgspec.convert(value, UploadStatus)
    except msgspec.ValidationError:
        return None
