"""Deliveries in processes that are killed, at any instant: every record arrives, and few arrive twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.sandbox import Sandbox

Rows = Callable[..., list[dict[str, Any]]]
SCRIPT = Path(__file__).with_name("killed_delivery.py")
BATCH = {"thymia": 1, "gerosense": 1000, "ptengine": 100}
SLACK = 0.3
"""Seconds that a flush may come late, on a machine with other things to do."""


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
        with subprocess.Popen([sys.executable, SCRIPT, json.dumps(given)], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            if seconds is not None:
                if seconds > 0:
                    child.stdout.readline()
                time.sleep(abs(seconds))
                child.kill()
            said = child.stdout.read()
        if child.returncode == -signal.SIGKILL:
            self.kills += 1
            self.lately += self._accepted_since(time.monotonic() - given["save_seconds"] - SLACK)
            return False
        assert child.returncode == 0
        ended = json.loads(said.removeprefix("started\n"))
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


@pytest.fixture
def killer(sandbox: Sandbox, rows: Rows, tmp_path: Path) -> Callable[..., Killer]:
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


@pytest.mark.parametrize(
    ("vendor", "count", "latency", "settings"),
    [
        ("thymia", 900, 0.01, {"max_in_flight": 4}),
        ("thymia", 400, 0.01, {"max_in_flight": 4, "save_seconds": 1.0}),
        ("gerosense", 30_000, 0.1, {"max_in_flight": 2}),
        ("ptengine", 4_000, 0.1, {"max_in_flight": 2}),
        ("thymia", 500, 0.01, {"max_in_flight": 4, "objects": True}),
        ("ptengine", 2_000, 0.1, {"max_in_flight": 2, "objects": True}),
    ],
)
def test_a_delivery_that_is_killed_again_and_again(
    vendor: str,
    count: int,
    latency: float,
    settings: dict[str, Any],
    killer: Callable[..., Killer],
    whole: Callable[..., None],
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed at random instants until it is done: each record has one fate, and at most what was in flight came twice.

    On object storage, which can't append, what was accepted since the last part was written may come twice as well.
    """
    chance = random.Random(f"{vendor} {settings}")
    delivery = killer(vendor, count, latency=latency, **settings)
    delivery.attempt(-0.2)  # hardly started

    while delivery.kills < 60 and not delivery.attempt(chance.uniform(0.001, 0.5)):
        pass

    report = delivery.reports[-1]
    counts = sandbox.vendors[vendor].counts
    allowed = delivery.in_flight + (delivery.lately if settings.get("objects") else 0)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{vendor} {settings}: {delivery.kills} kills, {delivery.attempts} attempts, {count} records, "
            f"{counts.records - counts.distinct} sent twice of {allowed} allowed, {report.resent} counted as resent"
        )
    whole(report, count)
    assert (counts.distinct, report.delivered) == (count, count)
    assert counts.records - counts.distinct <= allowed
    if not settings.get("objects"):
        assert report.resent >= counts.repeated


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("before a receipt", 1),
        ("before a receipt", 7),
        ("in the middle of a receipt", 1),
        ("in the middle of a receipt", 7),
        ("in the middle of a reject", 1),
        ("in the middle of what is about to be sent", 2),
        ("in the middle of what is about to be sent", 9),
        ("between a fate and its count", 5),
        ("before the fates are brought to the disk", 1),
        ("before the fates are brought to the disk", 2),
        ("before the fates are brought to the disk", 3),
        ("between fates and checkpoint", 1),
        ("between fates and checkpoint", 2),
        ("between fates and checkpoint", 3),
        ("in the middle of a checkpoint", 1),
        ("in the middle of a checkpoint", 2),
        ("before the done marker", 1),
        ("after the done marker", 1),
    ],
)
def test_a_delivery_that_is_killed_at_a_point(
    where: str, number: int, killer: Callable[..., Killer], whole: Callable[..., None], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Killed between any two steps, it goes on: each record has one fate, and what was in flight may come twice."""
    delivery = killer("ptengine", 2_000, latency=0.02, max_in_flight=2, save_seconds=0.03)
    with (tmp_path / "source.jsonl").open("a") as source:
        source.write('{"plan": "geheim"}\n' * 5)

    assert not delivery.attempt(die=(where, number))
    assert delivery.attempt()

    report, counts = delivery.reports[-1], sandbox.ptengine.counts
    whole(report, 2_005)
    assert (counts.distinct, report.delivered, report.rejected) == (2_000, 2_000, 5)
    assert counts.records - counts.distinct <= delivery.in_flight
    assert counts.repeated <= report.resent
    assert delivery.repeated is (where == "after the done marker")
    if "done marker" in where:
        assert counts.records == 2_000
