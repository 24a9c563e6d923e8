"""Logs a task's progress and report, and turns an error into one that Airflow retries, or doesn't."""

from __future__ import annotations

import traceback
from typing import Any, cast

from airflow_provider_userdata.airflow_compat import AirflowException, AirflowFailException
from airflow_provider_userdata.delivery import Report, Result
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UnexpectedError, UserdataError, unexpected
from airflow_provider_userdata.operators.task_state import FileStore, TaskStateStore


def show_progress(store: TaskStateStore | FileStore, log: Any, report: Report, total: int | None) -> None:
    """Log the progress, and save it where Airflow's UI shows it.

    :param total: how many records the source has; None if unknown.
    """
    rate = report.delivered / report.seconds if report.seconds else 0.0
    progress: dict[str, Any] = {**report.as_dict(), "records_per_second": round(rate)}
    share = ""
    if total:
        progress["share"] = round(report.read / total, 3)
        progress["seconds_left"] = round((total - report.read) * report.seconds / max(report.read, 1))
        share = f" ({report.read / total:.0%} of the source, {progress['seconds_left']:,} s left)"
    log.info("So far: %s%s; %s records a second", report.summary(), share, f"{rate:,.0f}")
    store.show(progress)


def log_report(result: Result, log: Any) -> None:
    """Log the counts of a delivery, what was wrong with most rejects, and where its files are."""
    report = result.report
    log.info("%s", report.summary())
    for fault, count in result.faults.items():
        log.warning("Invalid: %s: %s", fault, f"{count:,}")
    if report.rejects:
        log.warning("Rejected, held and unknown records, whole, with the reason of each: %s", report.rejects)
    if report.receipts:
        log.info("Receipts: %s", report.receipts)


def failure(error: Exception, log: Any) -> BaseException:
    """Return the exception that ends a task. Raise it `from None`: Airflow logs causes, which may quote a record (A6).

    For a broken source or an unexpected error, log the place in the code.
    """
    if not isinstance(error, UserdataError):
        error = unexpected(error)
    if isinstance(error, SourceBrokeError | UnexpectedError) and error.__cause__ is not None:
        what = "The source" if isinstance(error, SourceBrokeError) else "The delivery"
        frames = traceback.format_tb(error.__cause__.__traceback__)
        log.error("%s broke with %s, here:\n%s", what, type(error.__cause__).__name__, "".join(frames))
    if isinstance(error.__cause__, AirflowException) and not isinstance(error, SourceError):
        return error.__cause__  # a DAG author's function may skip or fail its task
    kind = AirflowException if error.retriable else AirflowFailException
    return cast("BaseException", kind(f"{type(error).__name__}: {error}"))
