"""The list stays fast, however much else Airflow's database holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_userdata.upload_status import KEY

LIST = "/userdata/api/uploads"
MOST_STATEMENTS = 5
"""The DAGs with uploads, the DAGs that the viewer may read, the uploads; and whatever Airflow asks to check the login
and, for one upload, the rights on its DAG: three times on 3.2."""


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what is sent to Airflow's database."""
    from airflow import settings
    from sqlalchemy import event

    found: list[str] = []

    def add(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(settings.engine, "before_cursor_execute", add)
    yield found
    event.remove(settings.engine, "before_cursor_execute", add)


def test_the_number_of_statements_does_not_grow(ask: Callable[..., Any], metadata: Any) -> None:
    """Neither with the uploads nor with their DAGs."""
    counts = []
    for number in range(0, 60, 20):
        for more in range(20):
            metadata.put(f"dag_{number}", task_id=f"t{more}")
        with statements() as found:
            assert len(ask(LIST).json()["uploads"]) == number + 20
        counts.append(len(found))
        with statements() as found:
            assert ask(f"{LIST}/dag_0/r/t0/-1").json()["task_id"] == "t0"
        assert len(found) <= MOST_STATEMENTS
    assert len(set(counts[1:])) == 1
    assert counts[-1] <= MOST_STATEMENTS


def fill(metadata: Any, crowd: int, uploads: int, shown: Callable[..., dict[str, Any]]) -> None:
    """Add task instances with an XCom each, of which some are uploads, all over a month."""
    now = datetime.now(UTC)
    value = shown(
        rate=[(5.0 * number, 1000 * number) for number in range(120)],
        reasons={f"G{number}": number for number in range(1, 14)},
        faults={f"G8 $.field_{number} is missing": number for number in range(5)},
    )
    for first in range(0, crowd, 10_000):
        instances, xcoms = [], []
        run = metadata.run(f"crowd_{first % 50_000}", f"r{first}")
        for number in range(first, first + 10_000):
            when = now - timedelta(days=30) * number / crowd
            own = {"dag_id": f"crowd_{first % 50_000}", "run_id": f"r{first}", "task_id": f"t{number}", "map_index": -1}
            instances.append({**metadata.instance(when), **own})
            key = KEY if number % (crowd // uploads) == 0 else "return_value"
            xcoms.append({"key": key, "value": value if key == KEY else 1, "timestamp": when, "dag_run_id": run, **own})
        metadata.add("taskinstance.TaskInstance", instances)
        metadata.add("xcom.XComModel", xcoms)
    metadata.session.commit()


@pytest.mark.long
@pytest.mark.alone
def test_500_uploads_among_200_000_task_instances(
    ask: Callable[..., Any], metadata: Any, shown: Callable[..., dict[str, Any]]
) -> None:
    """Below 100 ms once warm, and one of them as well."""
    fill(metadata, 200_000, 500, shown)
    took: dict[str, list[float]] = {LIST: [], f"{LIST}/crowd_0/r0/t0/-1": []}
    for path, times in took.items():
        for _ in range(15):
            started = time.process_time()  # the server is in this process, and others may want the machine's cores
            answer = ask(path)
            times.append(time.process_time() - started)
            assert answer.status_code == 200
    assert len(ask(LIST).json()["uploads"]) == 500
    assert {path: statistics.median(times) for path, times in took.items() if statistics.median(times) > 0.1} == {}
