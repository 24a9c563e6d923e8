"""The benchmark's side of a contestant's process: starts it, gives it jobs, takes its figures."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.contestants.worker import Job
from benchmarks.environments import OURS, airflow_home, airflow_settings, python_of
from benchmarks.places import LOGS, ROOT, BenchmarkError, clean_environment

NEEDS_AIRFLOW = {"ours", "observed", "unobserved", "http_hook"}


class Worker:
    """A contestant's process.

    :param folder: a temporary folder, where an Airflow may live.
    """

    def __init__(self, contestant: Contestant, folder: Path) -> None:
        self._name = contestant.module
        settings: dict[str, str] = {}
        if contestant.module in NEEDS_AIRFLOW:
            ours = contestant.environment == OURS
            settings = airflow_settings(airflow_home(folder, self._name) if ours else folder / self._name)
        LOGS.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        command = [python_of(contestant.environment), "-m", f"benchmarks.contestants.{contestant.module}"]
        with (LOGS / f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(writing)],
                cwd=ROOT,
                env=clean_environment(**settings),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                text=True,
                bufsize=1,
            )
        os.close(writing)
        self._answers = os.fdopen(reading)
        self.answer()

    def give(self, job: Job) -> None:
        """Start a job."""
        self._write(json.dumps(asdict(job)))

    def go(self) -> None:
        """Let a job that waits at its gate begin."""
        self._write("go")

    def answer(self) -> dict[str, Any]:
        """Wait for what it says next: that it is ready, or what it measured.

        :raises BenchmarkError: if it failed.
        """
        line = self._answers.readline()
        said: dict[str, Any] = json.loads(line) if line else {"error": "it ended"}
        if "error" in said:
            raise BenchmarkError(f"{self._name}: {said['error']}; {LOGS / self._name}.log says more")
        return said

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._answers.close()

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
