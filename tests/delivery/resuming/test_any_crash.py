"""Any source, in any chunks, crashing anywhere, again and again: in the end each position has one fate."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.resuming import checkpoint, checkpointer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.sandbox import Sandbox

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


class Crash(SystemExit):
    """The process is gone: nothing that runs after this reaches a disk."""


class Disk:
    """Takes so many steps, then no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 10**9
        append, flush = LocalLog.append, AttemptFiles.flush

        def appended(journal: LocalLog, line: bytes) -> None:
            try:
                self.step()
            except Crash:
                if self.left == 0 and journal._file is not None:
                    journal._path.open("ab").write(line[: len(line) // 2])  # torn
                raise
            append(journal, line)
            self.step()

        def flushed(files: AttemptFiles) -> None:
            self.step()
            flush(files)

        monkeypatch.setattr(LocalLog, "append", appended)
        monkeypatch.setattr(AttemptFiles, "flush", flushed)
        monkeypatch.setattr(checkpointer, "SAVE_SECONDS", 0.0)

    def step(self) -> None:
        """Count a step; crash at the last one, and at each that a dead process would go on to take."""
        self.left -= 1
        if self.left <= 0:
            raise Crash


class Chunks:
    """A source with chunks of given sizes."""

    total = None

    def __init__(self, rows: list[Any], sizes: list[int]) -> None:
        self._rows, self._sizes = rows, sizes

    def chunks(self) -> Iterator[Chunk]:
        """Give the rows; the last size is that of all further chunks."""
        rows, sizes = self._rows, list(self._sizes)
        while rows:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            yield Chunk(RowFormat.OBJECTS, rows[:size])
            rows = rows[size:]


class Store:
    """Keeps a checkpoint, as long as the process lives."""

    max_tries = 0

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._text: str | None = None

    def load(self) -> Any:
        """Give what was saved last."""
        return None if self._text is None else json.loads(self._text)

    def save(self, value: dict[str, Any]) -> None:
        """Keep a value, and crash before or after."""
        self._disk.step()
        assert len(value.get("beyond", "")) + len(value.get("in_flight", "")) <= checkpoint._LARGEST_SETS
        self._text = json.dumps(value, sort_keys=True)  # a database keeps keys in an order of its own
        self._disk.step()


@pytest.mark.slow
@pytest.mark.parametrize("largest", [12 * 1024, 1])
@pytest.mark.parametrize("on_doubt", ["resend", "hold"])
@pytest.mark.parametrize("vendor", VALID)
def test_any_delivery_that_crashes_anywhere(
    vendor: str,
    on_doubt: Any,
    largest: int,
    plan: Callable[..., Plan],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    fates: Callable[[Path], dict[int, list[str]]],
) -> None:
    """However often and wherever attempts crash, each position has one fate; nothing in doubt is sent twice if held."""
    disk = Disk(monkeypatch)
    monkeypatch.setattr(checkpoint, "_LARGEST_SETS", largest)  # into 1 byte, no scattered positions fit

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
        store = Store(disk)
        with tempfile.TemporaryDirectory() as folder:
            crashed, ended = 0, None
            for number, steps in enumerate([*crashes, 10**9]):
                planned = plan(
                    vendor,
                    Chunks(rows, sizes[number % len(sizes) :]),
                    attempt=f"{number}-x",
                    output=Path(folder),
                    store=store,
                    max_in_flight=in_flight,
                    patience=Patience(on_doubt=on_doubt),
                )
                disk.left = steps
                with contextlib.suppress(Crash):
                    ended = Delivery(planned).run()
                crashed += disk.left <= 0
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
