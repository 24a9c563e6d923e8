"""Runs contestants in turns against one server, and keeps what each run took."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import arrivals
from benchmarks.contestants import Contestant
from benchmarks.contestants.worker import Job
from benchmarks.data import Source
from benchmarks.fast_server import FastServer
from benchmarks.places import BENCH, LOGS, BenchmarkError, say
from benchmarks.workers import Worker

BATCH = {"gerosense": 1000, "ptengine": 100, "thymia": 1}
IN_FLIGHT = {"gerosense": 16, "ptengine": 16, "thymia": 64}


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant's task in a case.

    :param latency: milliseconds after which the server answers.
    :param options: more arguments of our operator, by name.
    :param sends: whether anything is sent at all.
    :param form: in which form our operator gets the source.
    :param place: where it lies in that form; empty if in the source's own file.
    """

    contestant: Contestant
    source: Source
    latency: float
    options: tuple[tuple[str, Any], ...] = ()
    sends: bool = True
    form: str = "file"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run took.

    :param began: on the monotonic clock, which the server's `first` is on too.
    :param cpu: seconds of the contestant's process, of all its threads.
    :param grown_megabytes: the peak of resident memory, less what was resident right before.
    """

    records: int
    began: float
    ended: float
    cpu: float
    peak_megabytes: float
    grown_megabytes: float
    server: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


class Stage:
    """The server and the contestants' processes, while a `with` block runs.

    :param quick: whether the sizes are small and the rounds few, to see that all works.
    """

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick

    def __enter__(self) -> Self:
        """Start the server. A contestant starts when it is first needed."""
        self._stack = ExitStack()
        BENCH.mkdir(exist_ok=True)
        shutil.rmtree(LOGS, ignore_errors=True)
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="run-", dir=BENCH)))
        self.server = self._stack.enter_context(FastServer())
        self._workers: dict[tuple[str, int], Worker] = {}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop all."""
        self._stack.close()

    def size(self, records: int) -> int:
        """Give the size of a run."""
        return max(min(records, 2_000), records // 20) if self.quick else records

    def rounds(self, number: int) -> int:
        """Give how many rounds are run."""
        return 1 if self.quick else number

    def worker(self, contestant: Contestant, number: int = 0) -> Worker:
        """Give a contestant's process: the same one each time."""
        key = (contestant.module, number)
        if key not in self._workers:
            self._workers[key] = self.fresh_worker(contestant)
        return self._workers[key]

    def fresh_worker(self, contestant: Contestant) -> Worker:
        """Start a process for a contestant; it ends with the benchmark, or earlier where it is closed."""
        worker = Worker(contestant, self.folder)
        self._stack.callback(worker.close)
        return worker

    def run(self, entry: Entry, worker: Worker | None = None) -> Run:
        """Run one contestant once, and see that all arrived.

        :raises BenchmarkError: if not, or if it failed.
        """
        return self.run_together([entry], [worker or self.worker(entry.contestant)], entry.source)[0]

    def run_together(self, entries: list[Entry], workers: list[Worker], whole: Source) -> list[Run]:
        """Run contestants at the same moment: each waits right before its measured part until all are there.

        :param whole: what should have arrived of them all.
        :raises BenchmarkError: if not, or if one failed.
        """
        self.server.reset(entries[0].latency)
        with tempfile.TemporaryDirectory(dir=self.folder) as output:
            for number, (entry, worker) in enumerate(zip(entries, workers, strict=True)):
                worker.give(self._job(entry, Path(output) / str(number)))
            for worker in workers:
                worker.answer()
            for worker in workers:
                worker.go()
            said = [worker.answer() for worker in workers]
        counts = self.server.counts()
        for entry, figures in zip(entries, said, strict=True):
            _check_report(entry, figures.pop("report", None))
        if entries[0].sends:
            arrivals.check(whole, self.server.bodies())
        return [
            Run(len(entry.source.numbers), server=counts, **figures)
            for entry, figures in zip(entries, said, strict=True)
        ]

    def in_turns(self, entries: Iterable[Entry], rounds: int, tell: str) -> dict[Entry, list[Run]]:
        """Run each entry once a round, one after the other, so that a slow minute meets them all."""
        runs: dict[Entry, list[Run]] = {entry: [] for entry in entries}
        for entry in runs:
            self.worker(entry.contestant)
            entry.source.made()
        for number in range(rounds):
            for entry, done in runs.items():
                done.append(self.run(entry))
                title = entry.contestant.title.replace("*", "")
                say(f"  {tell}, round {number + 1} of {rounds}: {title} {done[-1].rate:,.0f} records/s")
        return runs

    def _job(self, entry: Entry, output: Path) -> Job:
        vendor = entry.source.vendor
        output.mkdir()
        return Job(
            vendor=vendor,
            url=self.server.url,
            source=entry.place or str(entry.source.made()),
            form=entry.form,
            output=str(output),
            in_flight=entry.contestant.in_flight or IN_FLIGHT[vendor],
            batch=BATCH[vendor],
            gate=True,
            options=dict(entry.options),
        )


def _check_report(entry: Entry, report: Mapping[str, int] | None) -> None:
    """See that our operator counted what is there."""
    if report is None:
        return
    faulty = sum(map(entry.source.is_faulty, entry.source.numbers))
    good = len(entry.source.numbers) - faulty
    expected = {"read": good + faulty, "delivered": good, "rejected": faulty} if entry.sends else {"read": good}
    counted = {name: report[name] for name in expected}
    if counted != expected:
        raise BenchmarkError(f"{entry.source.path.name}: the report says {counted}, and it should say {expected}")


def median(runs: Iterable[Run], of: Callable[[Run], float]) -> float:
    """Give the median of a figure."""
    return statistics.median(map(of, runs))
