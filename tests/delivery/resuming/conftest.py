"""A store for checkpoints, and attempts of one run whose files are looked at together."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.recording.append_log import LocalLog, SegmentedLog
from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.sandbox import Sandbox
from tests.delivery.resuming import killed_delivery
from tests.doubles import Crash, MemoryStore, crashes

FORKS = multiprocessing.get_context("forkserver")
"""Makes processes of one that has imported all they need, which takes longer than most of them live."""
FORKS.set_forkserver_preload([killed_delivery.__name__])
LOOKING = threading.Lock()
"""Held to start or to join a process: both read how processes have ended, which can be read only once."""
BATCH = {"thymia": 1, "gerosense": 1000, "ptengine": 100}
SLACK = 0.3
"""Seconds that a flush may come late, on a machine with other things to do."""
FATES = ("delivered", "rejected", "held", "unchanged", "unknown", "valid")


@pytest.fixture
def store() -> MemoryStore:
    """Give an empty store."""
    return MemoryStore()


@pytest.fixture
def attempt(plan: Callable[..., Plan], store: MemoryStore) -> Callable[..., Result]:
    """Make the next attempt of one run: ``attempt("thymia", rows, on_start=use_delivery, **what_plan_takes)``."""
    made: list[Plan] = []

    def deliver(
        vendor: Any, source: Any, *, on_start: Callable[[Delivery], object] | None = None, **given: Any
    ) -> Result:
        given.setdefault("store", store)
        made.append(plan(vendor, source, attempt=f"{len(made) + 1}-x", **given))
        delivery = Delivery(made[-1])
        if on_start is not None:
            on_start(delivery)
        ended = delivery.run()
        report = ended.report
        assert report.read == sum(getattr(report, fate) for fate in FATES)
        return ended

    return deliver


@pytest.fixture
def crash(plan: Callable[..., Plan], store: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make an attempt that crashes where it would write its n-th receipt: ``crash("thymia", rows, receipt=5)``."""
    numbers = itertools.count()

    def crashed(vendor: str, source: Any, receipt: int, **given: Any) -> None:
        kind = LocalLog if isinstance(given.get("output", Path()), Path) else SegmentedLog
        append, flush, save, left = kind.append, kind.flush, store.save, [receipt]

        def appended(journal: Any, line: bytes) -> None:
            alive = left[0] > 0
            left[0] -= b'"count"' in line
            if left[0] > 0:
                append(journal, line)
            elif alive:
                raise Crash

        def flushed(journal: Any) -> None:
            if left[0] > 0:
                flush(journal)

        def saved(value: dict[str, Any]) -> None:
            if left[0] > 0:
                save(value)

        with monkeypatch.context() as patch:
            patch.setattr(kind, "append", appended)
            patch.setattr(kind, "flush", flushed)
            patch.setattr(store, "save", saved)
            patch.setattr(asyncio, "run", crashes.run)
            with contextlib.suppress(Crash):
                Delivery(plan(vendor, source, attempt=f"crash-{next(numbers)}", store=store, **given)).run()
        assert left[0] <= 0

    return crashed


@dataclass
class Killer:
    """Runs attempts of one delivery in processes of their own, and kills them."""

    sandbox: Sandbox
    vendor: str
    settings: dict[str, Any]
    attempts: int = 0
    kills: int = 0
    lately: int = 0
    reports: list[Report] = field(default_factory=list)
    repeated: bool = False

    def attempt(self, seconds: float | None = None, **settings: Any) -> bool:
        """Make an attempt, and kill it so many seconds after its start; say whether it came to its end."""
        self.attempts += 1
        given = {**self.settings, "attempt": f"{self.attempts}-x", **settings}
        said, child = _started(given)
        if seconds is not None:
            if seconds > 0:
                said.poll(None)
            time.sleep(abs(seconds))
            child.kill()
        wait([child.sentinel])
        with LOOKING:
            child.join()
        if child.exitcode == -signal.SIGKILL:
            self.kills += 1
            self.lately += self._accepted_since(time.monotonic() - given["save_seconds"] - SLACK)
            return False
        assert child.exitcode == 0
        assert said.recv() == "started"
        ended = said.recv()
        assert ended["error"] is None
        self.repeated = ended["repeated"]
        self.reports.append(Report(**ended["report"]))
        return True

    def _accepted_since(self, moment: float) -> int:
        requests = self.sandbox.vendors[self.vendor].requests
        return sum(request.accepted for request in requests if request.ended is None or request.ended >= moment)

    @property
    def in_flight(self) -> int:
        """Give how many records may have been in flight at all kills together."""
        return int(self.kills * self.settings["max_in_flight"] * BATCH[self.vendor])


def _started(settings: dict[str, Any]) -> tuple[Connection, BaseProcess]:
    """Start an attempt in a process of its own; return where it says how it goes, and the process."""
    said, says = FORKS.Pipe(duplex=False)
    with says:
        child = FORKS.Process(target=killed_delivery.main, args=(settings, says.send))
        with LOOKING:
            child.start()
    return said, child


@pytest.fixture
def killer(sandbox: Sandbox, rows: Callable[..., Any], tmp_path: Path) -> Callable[..., Killer]:
    """Prepare a delivery: ``killer("thymia", 800, latency=0.01, max_in_flight=4)``."""

    def prepare(vendor: str, count: int, *, latency: float = 0.0, **settings: Any) -> Killer:
        source = tmp_path / "source.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows(vendor, count)))
        double = sandbox.vendors[vendor]
        double.latency = latency
        defaults = {
            "vendor": vendor,
            "url": sandbox.url,
            "key": double.key,
            "source": str(source),
            "folder": str(tmp_path / "run"),
            "max_in_flight": 4,
            "save_seconds": 0.05,
        }
        return Killer(sandbox, vendor, {**defaults, **settings})

    return prepare


@pytest.fixture(scope="session")
def objects() -> Callable[[Path], Any]:
    """Let a folder stand for one of an object store, which can't be appended to."""
    return killed_delivery.Objects


@pytest.fixture(scope="session")
def fates() -> Callable[[Path], dict[int, list[str]]]:
    """Read the fates of all positions from the files of all attempts in a folder."""
    return _fates


@pytest.fixture
def whole(tmp_path: Path) -> Callable[..., None]:
    """Check that each of so many records has one fate over all files, and that the report says the same."""

    def check(report: Report, count: int, folder: Path | None = None) -> None:
        found = _fates(folder or tmp_path / "run")
        assert {position: len(fates) for position, fates in found.items()} == dict.fromkeys(range(count), 1)
        counted = Counter(fate for fates in found.values() for fate in fates)
        assert counted == {fate: getattr(report, fate) for fate in FATES if getattr(report, fate)}
        assert report.read == count

    return check


def _fates(folder: Path) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for path in sorted(folder.glob("re*-*.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:  # what follows the last line's end is torn
            try:
                read = json.loads(line)
            except ValueError:
                continue
            if path.name.startswith("rejects-"):
                found.setdefault(read["position"], []).append(read["fate"])
                continue
            for start, length in read["ranges"]:
                for position in range(start, start + length):
                    found.setdefault(position, []).append("delivered")
    return found
