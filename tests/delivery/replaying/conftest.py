"""A run with rejects, and runs that send them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.sources import RejectsSource, Surroundings, open_source
from tests.delivery.resuming.conftest import attempt, fates, killer, objects, store
from tests.delivery.resuming.killed_delivery import right

__all__ = ["attempt", "fates", "killer", "objects", "right", "store"]
FAULTY = (0, 7, 8, 20, 41, 59)


def wrong(records: Sequence[Any], places: Sequence[int] = FAULTY) -> list[Any]:
    """Wrap records at some places, so that no vendor takes them, and `right` corrects them."""
    return [{"right": record} if place in places else record for place, record in enumerate(records)]


@pytest.fixture
def again(plan: Callable[..., Plan], settle: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """Send rejects again: ``again("thymia", RejectsSource(...), run="monday", **what_plan_takes)``."""

    def deliver(vendor: Any, source: Any, *, run: str = "monday", **given: Any) -> Result:
        given.setdefault("output", tmp_path / "again" / run)
        given.setdefault("attempt", "1-x")
        replay = Replay(run, given["attempt"], str(given["output"]))
        opened = open_source(source, of=Surroundings(replay, tmp_path))
        return Delivery(plan(vendor, opened, replay=replay or None, **given)).run()

    return deliver


@pytest.fixture
def rejects(tmp_path: Path) -> Callable[..., RejectsSource]:
    """Name the rejects of the first run: ``rejects(fix=right)``."""
    return lambda **options: RejectsSource(tmp_path / "run", **options)
