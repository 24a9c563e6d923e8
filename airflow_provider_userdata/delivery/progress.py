"""Shows the progress of a delivery to people, while it runs."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable

from airflow_provider_userdata.delivery.blocking_thread import BlockingThread
from airflow_provider_userdata.delivery.report import Report

PROGRESS_SECONDS = 10.0
"""Seconds between two calls to Airflow."""

_log = logging.getLogger(__name__)


async def show_progress(
    tell: Callable[[Report, int | None], None] | None,
    report: Callable[[], Report],
    total: int | None,
    airflow_thread: BlockingThread,
) -> None:
    """Tell people the counts every `PROGRESS_SECONDS`, without end.

    :param tell: shows the counts so far and the source's total; None shows nothing.
    :param report: returns the counts so far.
    :param total: how many records the source has, where that is known.
    """
    while tell is not None:
        await asyncio.sleep(PROGRESS_SECONDS)
        try:
            await airflow_thread.call(functools.partial(tell, report(), total))
        except Exception as error:  # noqa: BLE001  # it is only shown: the next one may get through
            _log.warning("The progress can't be shown for now: %s", type(error).__name__)
