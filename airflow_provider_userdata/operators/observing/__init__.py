"""Shows an upload while it runs: in the log, in Airflow's UI, in metrics and traces."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata.delivery import Observer, Status
from airflow_provider_userdata.operators.links import LinkObserver
from airflow_provider_userdata.operators.observing.log import LogObserver
from airflow_provider_userdata.operators.observing.metrics import metrics
from airflow_provider_userdata.operators.observing.spans import spans
from airflow_provider_userdata.operators.observing.upload import Upload
from airflow_provider_userdata.operators.observing.xcom import XComObserver
from airflow_provider_userdata.operators.supervisor_line import let_one_talk_at_a_time

__all__ = ["Observer", "Status", "Upload", "observers"]


def observers(upload: Upload, context: Any, log: Any) -> list[Observer]:
    """Return all that show an upload. The last ones may not get their turn if the process is about to be killed.

    Call it on the task's main thread: traces have the task's span there.

    :param context: Airflow's context of the task.
    :param log: the task's logger.
    """
    let_one_talk_at_a_time()
    ti = context["ti"]
    log_first: list[Observer] = [LogObserver(upload, log)]
    wanted = [one for one in (metrics(upload, ti), spans(upload)) if one is not None]
    return [*log_first, *wanted, XComObserver(upload, ti), LinkObserver(ti)]  # calls to Airflow may hang
