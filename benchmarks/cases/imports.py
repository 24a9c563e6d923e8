"""What a DAG file pays for importing the operators, beside what it pays for Airflow."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.environments import airflow_settings
from benchmarks.measuring import Stage
from benchmarks.places import ROOT, clean_environment, say
from benchmarks.tables import median_and_spread, table

AIRFLOW = "import airflow"
DAG_FILE = f"{AIRFLOW}; from airflow.sdk import DAG, BaseOperator"
OPERATORS = "".join(
    f"; import airflow_provider_userdata.operators.{vendor}" for vendor in ("gerosense", "ptengine", "thymia")
)
CASES = {"`airflow`": AIRFLOW, "`airflow`, `DAG` and `BaseOperator`": DAG_FILE}


def imports(stage: Stage) -> str:
    """Import Airflow alone and with the three operators, in fresh processes in turns, from compiled bytecode."""
    rows = []
    with tempfile.TemporaryDirectory(dir=stage.folder) as home:
        for name, statements in CASES.items():
            _took(statements + OPERATORS, Path(home))  # compiles what isn't, and fills the disk's cache
            pairs = [
                (_took(statements, Path(home)), _took(statements + OPERATORS, Path(home)))
                for _ in range(stage.rounds(7))
            ]
            alone, both = ([seconds for seconds, _ in done] for done in zip(*pairs, strict=True))
            added, cpu = zip(*((both[0] - alone[0], both[1] - alone[1]) for alone, both in pairs), strict=True)
            rows.append([name, *map(median_and_spread, (alone, both, added, cpu))])
            say(f"  imports, {name}: {rows[-1][-2]} s added")
    return table(("imported", "seconds alone", "with the three operators", "added", "added, CPU s"), rows)


def _took(statements: str, home: Path) -> tuple[float, float]:
    """Give the seconds and the CPU seconds that statements take in a fresh process."""
    clocks = "time.perf_counter(), time.process_time()"
    code = f"import time; began = {clocks}; {statements}; print(*began, {clocks})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean_environment(**airflow_settings(home)),
        capture_output=True,
        text=True,
        check=True,
    )
    began, cpu_began, ended, cpu_ended = map(float, done.stdout.split()[-4:])
    return ended - began, cpu_ended - cpu_began
