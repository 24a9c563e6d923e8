"""Shows an upload while it runs: in the log, in Airflow's UI, in metrics and traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_userdata.delivery import Observer, Status
from airflow_provider_userdata.operators.links import LinkObserver

__all__ = ["Observer", "Status", "Upload", "observers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What an upload is, as it stays from its start to its end: names and words, nothing of a record.

    :param vendor: the connection type, such as `gerosense`.
    :param kind: the kind of records, such as a data type; empty if the vendor has one only.
    :param conn_id: the Airflow connection.
    :param address: where requests go, without credential.
    :param source: where records come from, in words.
    :param label: what a mapped task uploads, in few words.
    :param attempt: Airflow's number of the attempt.
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


def observers(upload: Upload, context: Any) -> list[Observer]:  # noqa: ARG001  # not yet
    """Return all that show an upload.

    :param context: Airflow's context of the task.
    """
    return [LinkObserver(context["ti"])]
