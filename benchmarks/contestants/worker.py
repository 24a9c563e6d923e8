"""A contestant's process: it lives as long as the benchmark, reads a job a line, and answers with what it measured.

Starting Python, and Airflow above all, costs seconds: so it is paid once, and contestants can take turns. Nothing but
the standard library stands here, since each contestant has an environment of its own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

SAMPLES_PATH = "/api/v1.1/samples"
PROFILES_PATH = "/v1/user/profiles"
USER_DATA_PATH = "/v1/user-data/mood"
TOKEN = "benchmark"


@dataclass(frozen=True, slots=True)
class Job:
    """What a contestant is to send.

    :param url: of the server.
    :param source: path of the file; for our operator, where a source of another form lies.
    :param form: in which form our operator gets it.
    :param output: path of a folder for what the contestant writes.
    :param in_flight: how many requests may be under way at once, for contestants that can say so.
    :param batch: how many records a request carries.
    :param gate: whether to wait for a word before the measured part begins.
    """

    vendor: str
    url: str
    source: str
    output: str
    in_flight: int
    batch: int
    form: str = "file"
    gate: bool = False
    options: dict[str, Any] = field(default_factory=dict)


class Clock:
    """Measures what a `with` block takes of this process: seconds, CPU of all threads, peak of resident memory.

    :param wait: what is called right before.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self._wait = wait
        self.figures: dict[str, Any] = {}

    def __enter__(self) -> None:
        """Begin."""
        self._wait()
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        self._before = _resident("VmRSS")
        self._cpu = _cpu()
        self._began = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        ended = time.monotonic()
        cpu = _cpu() - self._cpu
        peak = _resident("VmHWM")
        self.figures.update(
            began=self._began, ended=ended, cpu=cpu, peak_megabytes=peak, grown_megabytes=peak - self._before
        )


def serve(run: Callable[[Job, Clock], None]) -> None:
    """Take jobs from stdin until there are no more; answers go to the file descriptor that the command line names."""
    answers = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    _say(answers, ready=True)
    for line in sys.stdin:
        job = Job(**json.loads(line))
        clock = Clock(lambda: _wait_for_word(answers) if job.gate else None)  # noqa: B023  # called before the next job
        try:
            run(job, clock)
        except Exception as error:
            _say(answers, error=f"{type(error).__name__}: {error}"[:2000])
            raise
        _say(answers, **clock.figures)


def _say(answers: TextIO, **what: Any) -> None:
    answers.write(json.dumps(what) + "\n")


def _wait_for_word(answers: TextIO) -> None:
    _say(answers, ready=True)
    sys.stdin.readline()


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _resident(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)
