"""The lines about an upload in its task's log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from airflow_provider_userdata.delivery import Status
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.operators.observing.log import progress_line, summary
from airflow_provider_userdata.upload_status import Waiting, WaitsFor

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("why", get_args(WaitsFor))
def test_each_wait_is_told_in_words(why: WaitsFor) -> None:
    """Whatever an upload waits for, the line says why, and until when."""
    report = Counters(lambda: 0.0).report()
    status = Status(report=report, started=NOW, updated=NOW, rate=[(0.0, 0)], waiting=Waiting(why, NOW))

    said = progress_line(status)

    assert "; waits until 12:00:00 UTC: the vendor " in said


def test_the_end_says_how_many_reasons_it_leaves_out() -> None:
    """The most frequent ones are named, and the others counted."""
    faults = {f"P4 $.field_{number} is long": 2 for number in range(5)}
    report = Counters(lambda: 0.0).report()

    said = summary(Status(report=report, started=NOW, updated=NOW, faults=faults, more_faults=2), None)

    assert said.splitlines()[-1].strip() == "Invalid: and 2 more reasons"
    assert "more" not in summary(Status(report=report, started=NOW, updated=NOW, faults=faults), None)
