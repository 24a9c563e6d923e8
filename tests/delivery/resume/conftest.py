"""A store for checkpoints, and attempts of one run whose files are looked at together."""

from __future__ import annotations

import json
import runpy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from airflow_provider_userdata.delivery.checkpoint import LARGEST
from airflow_provider_userdata.delivery.plan import Ended, Plan
from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.delivery.runner import Delivery

FATES = ("delivered", "rejected", "held", "unchanged", "unknown")


class MemoryStore:
    """Keeps a checkpoint between attempts as Airflow does: as JSON, in any order, and never more than 16 KB of it."""

    def __init__(self) -> None:
        self.max_tries = 0
        self.texts: list[bytes] = []
        self.before_save: Callable[[dict[str, Any]], object] = lambda _: None

    def load(self) -> Any:
        """Give what was saved last."""
        return msgspec.json.decode(self.texts[-1]) if self.texts else None

    def save(self, value: dict[str, Any]) -> None:
        """Keep a value, unless `before_save` raises."""
        self.before_save(value)
        text = json.dumps(value, sort_keys=True).encode()
        assert len(text) < LARGEST
        self.texts.append(text)

    @property
    def is_done(self) -> bool:
        """Whether the last value is a marker of a run that has ended."""
        return "done" in self.load()


@pytest.fixture
def store() -> MemoryStore:
    """Give an empty store."""
    return MemoryStore()


@pytest.fixture
def attempt(plan: Callable[..., Plan], store: MemoryStore) -> Callable[..., Ended]:
    """Make the next attempt of one run: ``attempt("thymia", rows, on_start=use_delivery, **what_plan_takes)``."""
    made: list[Plan] = []

    def deliver(
        vendor: Any, source: Any, *, on_start: Callable[[Delivery], object] | None = None, **given: Any
    ) -> Ended:
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


@pytest.fixture(scope="session")
def objects() -> Callable[[Path], Any]:
    """Let a folder stand for one of an object store, which can't be appended to."""
    return cast("Callable[[Path], Any]", runpy.run_path(str(Path(__file__).with_name("killed_delivery.py")))["Objects"])


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
