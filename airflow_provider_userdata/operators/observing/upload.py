"""What an upload is, as it stays from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What an upload is: names and words, nothing of a record.

    :param vendor: the connection type, such as `gerosense`.
    :param kind: the kind of records, such as a data type; empty if the vendor has one only.
    :param conn_id: the Airflow connection.
    :param address: where requests go, without path and credential.
    :param source: where records come from, in words. It may name a path: for logs.
    :param label: what a mapped task uploads, in few words; empty if it has nothing to tell it by.
    :param attempt: Airflow's number of the attempt.
    :param resume: whether the next attempt goes on where this one ends.
    :param replay: whether it sends the rejects of earlier runs again.
    """

    vendor: str
    kind: str
    conn_id: str
    address: str
    source: str
    label: str
    attempt: int
    validate_only: bool
    incremental: bool
    resume: bool
    replay: bool
