"""Airflow's metrics, received."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_userdata.delivery import Report, Status
from tests.doubles.receivers import Statsd, metrics_begin_anew, statsd

START = datetime(2026, 5, 1, tzinfo=UTC)
NOTHING: dict[str, Any] = dict.fromkeys(
    ("read", "delivered", "rejected", "invalid", "refused", "held", "unchanged", "unknown", "resent", "requests"), 0
)


def a_status(answers: dict[str, int] | None = None, seconds: float = 0.0, retries: int = 0, **figures: Any) -> Status:
    """Make a status: the counts of a report, and whatever else one has."""
    counts = {**NOTHING, **{name: figures.pop(name) for name in list(figures) if name in NOTHING}}
    report = Report(**counts, retries=retries, bytes=0, seconds=0.0, rejects=None, receipts=None)
    return Status(
        report=report, started=START, updated=START + timedelta(seconds=seconds), requests=answers or {}, **figures
    )


@pytest.fixture
def status() -> Callable[..., Status]:
    """Make a status: ``status(delivered=5, answers={"2xx": 1}, in_flight=3)``."""
    return a_status


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statsd]:
    """Let Airflow send its metrics to a StatsD server, and give what arrives there."""
    pytest.importorskip("statsd")
    with statsd() as server:
        with pytest.MonkeyPatch.context() as patch:
            settings = {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(server.port)}
            for name, value in settings.items():
                patch.setenv(f"AIRFLOW__METRICS__{name}", value)
            metrics_begin_anew()
            yield server
        metrics_begin_anew()
