"""Compares the adaptive throttle with fixed numbers of requests in flight: ``python benchmarks/pace.py``.

The sandbox runs in its own process and plays four vendors: two limit their rate, one of them with a `Retry-After`, one
answers slowly, one fast. The adaptive throttle starts without knowing any of this.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending import throttle
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.sandbox import SANDBOX_KEYS
from airflow_provider_userdata.sources import open_source
from airflow_provider_userdata.vendors.thymia import Thymia

MOST = 16
FIXED = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Case:
    """A vendor's behaviour.

    :param requests: how many the vendor has to accept.
    :param settings: the sandbox's settings.
    :param times: how often each number in flight is measured, in turns; medians of times and of ratios are compared.
    """

    name: str
    requests: int
    settings: dict[str, Any]
    times: int = 1


CASES = (
    Case("limited: 40 requests/s, 20 ms", 600, {"latency": 0.02, "rate_limit": 40}),
    Case(
        "pauses: 40 requests/s, 20 ms, Retry-After: 5",
        600,
        {"latency": 0.02, "rate_limit": {"per_second": 40, "retry_after": 5}},
    ),
    Case("slow: 100 ms", 640, {"latency": 0.1}),
    Case("fast: 0 ms", 3000, {}, times=9),
)


class Fixed:
    """A number in flight that never changes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def sent(self, in_flight: int) -> None:
        """Learn nothing."""

    def answered(self, seconds: float, busy: float = 0.0) -> None:
        """Learn nothing."""

    def pushed_back(self) -> None:
        """Learn nothing."""


class Unlimited:
    """No rate limit."""

    seconds = 0.0

    def passed(self, now: float, *, pressed: bool = True) -> None:
        """Learn nothing."""

    def refused(self, sent: float, now: float) -> None:
        """Learn nothing."""

    def paused(self, now: float, seconds: float) -> None:
        """Learn nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a delivery went.

    :param refused: requests that were answered with 429.
    """

    seconds: float
    refused: int
    most_in_flight: int
    whole: bool

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row in the table."""
        return (f"{self.seconds:.1f}" if self.whole else "gave up", str(self.refused), str(self.most_in_flight))


def deliver(url: str, case: Case, folder: Any, fixed: int | None) -> Run:
    """Deliver once, with a fixed number in flight, or with one that adapts if `fixed` is None."""
    _control(url, "POST", "reset", {})
    _control(url, "PUT", "settings/thymia", case.settings)
    records = [{"user": {"userLabel": str(number)}, "data": {"n": number}} for number in range(case.requests)]
    plan = Plan(
        vendor=Thymia("mood"),
        endpoint=Endpoint(url, {"x-api-key": SANDBOX_KEYS["thymia"]}),
        source=open_source(records),
        output=folder,
        attempt="1",
        max_in_flight=fixed or MOST,
        patience=Patience(),
    )
    with ExitStack() as patches:
        if fixed is not None:
            patches.enter_context(mock.patch.object(throttle, "ConcurrencyLimit", Fixed))
            patches.enter_context(mock.patch.object(throttle, "RateLimit", Unlimited))
        started = time.perf_counter()
        ended = Delivery(plan).run()
        seconds = time.perf_counter() - started
    counts = _control(url, "GET", "arrived/thymia.json", None)["counts"]
    refused = counts["by_status"].get("429", 0)
    return Run(seconds, refused, counts["most_in_flight"], ended.report.delivered == case.requests)


def compare(url: str, case: Case, folder: Path) -> None:
    """Measure a case and print its table."""
    print(f"\n{case.name}, {case.requests:,} requests\n")
    print("| in flight | seconds | refused | most in flight |\n|---|---|---|---|")
    turns: dict[int | None, list[Run]] = {fixed: [] for fixed in (*FIXED, None)}
    for turn in range(case.times):
        for fixed, done in turns.items():
            done.append(deliver(url, case, folder / f"{case.name.split(':')[0]}-{fixed}-{turn}", fixed))
    runs = {fixed: sorted(done, key=lambda run: run.seconds)[case.times // 2] for fixed, done in turns.items()}
    for fixed, run in runs.items():
        print("|", " | ".join(("adapts" if fixed is None else str(fixed), *run.cells())), "|")
    best = min((run.seconds, fixed) for fixed, run in runs.items() if fixed is not None and run.whole)[1]
    # Ratios are taken turn by turn, because the machine's speed drifts more than the numbers differ.
    ratios = [adapts.seconds / fixed.seconds for adapts, fixed in zip(turns[None], turns[best], strict=True)]
    print(f"\nAdapting took {median(ratios):.2f} times as long as the best fixed number.", flush=True)


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """Run the sandbox in its own process, and yield its URL."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "airflow_provider_userdata.sandbox", "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not ready.exists():
            time.sleep(0.05)
        yield json.loads(ready.read_text())["url"]
    finally:
        process.terminate()
        process.wait()


def _control(url: str, method: str, path: str, value: Any) -> Any:
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(f"{url}/sandbox/{path}", body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main() -> None:
    """Compare all cases, or those named on the command line."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as name, sandbox(Path(name)) as url:
        for case in CASES:
            if not sys.argv[1:] or case.name.split(":")[0] in sys.argv[1:]:
                compare(url, case, Path(name))


if __name__ == "__main__":
    main()
