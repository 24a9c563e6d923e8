"""Any source, in any chunks, crashing anywhere, again and again: in the end each position has one fate."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.resuming import checkpoint, checkpoint_writer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Chunks, Crash, MemoryStore, Steps, crashes

BATCH = {"thymia": 1, "gerosense": 1000, "ptengine": 100}
VALID: dict[str, Callable[[int], dict[str, Any]]] = {
    "thymia": lambda number: {"user": {"userLabel": f"geheim-{number}"}, "data": {"a": 1}},
    "gerosense": lambda number: {
        "device_name": f"geheim-{number}",
        "start_date": "2023-11-01T00:00:00Z",
        "value": 1,
        "unit": "count",
    },
    "ptengine": lambda number: {"user_id": f"geheim-{number}", f"plan-{number % 3}": "geheim"},
}


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Let every write be two steps: before it, where a line may be torn, and after it."""
    steps, append, flush = Steps(), LocalLog.append, AttemptFiles.flush

    def appended(journal: LocalLog, line: bytes) -> None:
        try:
            steps()
        except Crash:
            if steps.left == 0 and journal._file is not None:
                journal._path.open("ab").write(line[: len(line) // 2])  # torn
            raise
        append(journal, line)
        steps()

    def flushed(files: AttemptFiles) -> None:
        steps()
        flush(files)

    monkeypatch.setattr(LocalLog, "append", appended)
    monkeypatch.setattr(AttemptFiles, "flush", flushed)
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(asyncio, "run", crashes.run)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("largest", [12 * 1024, 1])
@pytest.mark.parametrize("on_doubt", ["resend", "hold"])
@pytest.mark.parametrize("vendor", VALID)
def test_any_delivery_that_crashes_anywhere(
    vendor: str,
    on_doubt: Any,
    largest: int,
    step: Steps,
    plan: Callable[..., Plan],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    fates: Callable[[Path], dict[int, list[str]]],
) -> None:
    """However often and wherever attempts crash, each position has one fate; nothing in doubt is sent twice if held."""
    monkeypatch.setattr(checkpoint, "_LARGEST_SETS", largest)  # into 1 byte, no scattered positions fit

    def save(value: dict[str, Any]) -> None:
        step()
        assert len(value.get("beyond", "")) + len(value.get("in_flight", "")) <= largest

    @settings(
        max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        kinds=st.lists(st.booleans(), min_size=1, max_size=40),
        times=st.integers(1, 12 if vendor != "thymia" else 2),
        sizes=st.lists(st.integers(1, 90), min_size=1, max_size=4),
        crashes=st.lists(st.integers(1, 90), max_size=6),
        in_flight=st.integers(1, 5),
    )
    def check(kinds: list[bool], times: int, sizes: list[int], crashes: list[int], in_flight: int) -> None:
        sandbox.reset()
        rows = [VALID[vendor](number) if valid else {} for number, valid in enumerate(kinds * times)]
        store = MemoryStore()
        store.before_save, store.after_save = save, step
        with tempfile.TemporaryDirectory() as folder:
            crashed, ended = 0, None
            for number, steps in enumerate([*crashes, 10**9]):
                planned = plan(
                    vendor,
                    Chunks(rows, *sizes[number % len(sizes) :]),
                    attempt=f"{number}-x",
                    output=Path(folder),
                    store=store,
                    max_in_flight=in_flight,
                    patience=Patience(on_doubt=on_doubt),
                )
                step.left = steps
                with contextlib.suppress(Crash):
                    ended = Delivery(planned).run()
                crashed += step.left <= 0
            assert ended is not None
            check_end(ended, fates(Path(folder)), len(rows), crashed * in_flight * BATCH[vendor])

    def check_end(ended: Result, found: dict[int, list[str]], count: int, allowed: int) -> None:
        report, counts = ended.report, sandbox.vendors[vendor].counts
        assert ended.error is None
        assert {position: len(fates) for position, fates in found.items()} == dict.fromkeys(range(count), 1)
        assert (report.read, report.delivered) == (count, [*found.values()].count(["delivered"]))
        assert counts.records - counts.distinct <= (0 if on_doubt == "hold" else allowed)
        if on_doubt == "resend":
            assert counts.records - counts.distinct <= report.resent
            assert counts.distinct == report.delivered

    check()
