"""Where the benchmarks keep what they make, and what they raise."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks"
BENCH = ROOT / ".bench"
DATA = BENCH / "data"
LOGS = BENCH / "logs"

_OTHERS = re.compile(r"AIRFLOW.*|.*_proxy|PYTHON(DONTWRITEBYTECODE|PATH|STARTUP)|VIRTUAL_ENV", re.IGNORECASE)


class BenchmarkError(Exception):
    """The benchmark can't go on, or what it measured can't be trusted; the message says why."""


def clean_environment(**settings: str) -> dict[str, str]:
    """Give this process's environment without what it says of another Airflow, of proxies and of Python."""
    kept = {name: value for name, value in os.environ.items() if not _OTHERS.fullmatch(name)}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", **settings}


def say(text: str) -> None:
    """Tell the person at the console what is going on."""
    print(text, file=sys.stderr, flush=True)
