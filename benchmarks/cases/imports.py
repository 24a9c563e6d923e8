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
            _seconds(statements + OPERATORS, Path(home))  # compiles what isn't, and fills the disk's cache
            pairs = [
                (_seconds(statements, Path(home)), _seconds(statements + OPERATORS, Path(home)))
                for _ in range(stage.rounds(7))
            ]
            alone, both = zip(*pairs, strict=True)
            added = [with_operators - without for without, with_operators in pairs]
            rows.append([name, *map(median_and_spread, (alone, both, added))])
            say(f"  imports, {name}: {rows[-1][-1]} s added")
    return table(("imported", "seconds alone", "with the three operators", "added"), rows)


def _seconds(statements: str, home: Path) -> float:
    code = f"import time; began = time.perf_counter(); {statements}; print('took', time.perf_counter() - began)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean_environment(**airflow_settings(home)),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])
