"""Turns an error into one that Airflow retries, or doesn't."""

from __future__ import annotations

import traceback
from typing import Any, cast

from airflow_provider_userdata.airflow_compat import AirflowException, AirflowFailException
from airflow_provider_userdata.errors import SourceBrokeError, SourceError, UnexpectedError, UserdataError, unexpected


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
