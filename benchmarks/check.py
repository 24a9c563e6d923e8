"""Shows that a check is as fast as an upload, in the same memory: ``python -m benchmarks.check``.

A CSV file of samples is checked by the command, and delivered to a server that accepts everything, in turns. Each is a
process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from airflow_provider_userdata.__main__ import main as command
from benchmarks.memory import deliver, server

COLUMNS = ("device_name", "start_date", "unit", "value")


def write_table(path: Path, count: int) -> None:
    """Write a CSV file of samples."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for number in range(count):
            day, second = divmod(number // 12, 86_400)
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            start = f"2023-11-{1 + day % 28:02}T{clock}.{number % 10}00+04:00"
            rows.writerow([f"watch-{number % 1000}", start, "count", 1 + number % 200])


def checked(source: str) -> dict[str, Any]:
    """Check a file by the command, and say what it took."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        command(["check", source, "--vendor", "gerosense", "--data-type", "steps", "-o", "json"])
    found = json.loads(printed.getvalue())
    return {"good": found["valid"], "seconds": found["seconds"]}


def uploaded(source: str, url: str, output: Path) -> dict[str, Any]:
    """Deliver it, and say what it took."""
    found = deliver(url, Path(source), output)
    return {"good": found["delivered"], "seconds": found["seconds"]}


def measured(*arguments: str) -> dict[str, Any]:
    """Run one of the two in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.check", *arguments], capture_output=True, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def compare(count: int, turns: int) -> None:
    """Run both in turns, and print the medians."""
    with tempfile.TemporaryDirectory() as folder, server(0.0) as url:
        source = Path(folder) / "samples.csv"
        write_table(source, count)
        found: dict[str, list[dict[str, Any]]] = {"check": [], "upload": []}
        for turn in range(turns):
            found["check"].append(measured("--check", str(source)))
            found["upload"].append(measured("--upload", str(source), url, f"{folder}/run-{turn}"))
    print("| | seconds | CPU seconds | peak memory, MB |\n|---|---|---|---|")
    for what, runs in found.items():
        assert all(run["good"] == count for run in runs)
        middle = {name: statistics.median(run[name] for run in runs) for name in ("seconds", "cpu", "megabytes")}
        print(f"| {what} | {middle['seconds']:.1f} | {middle['cpu']:.1f} | {middle['megabytes']:.0f} |")


def main() -> None:
    """Compare, or be one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--check", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--upload", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.check is None and asked.upload is None:
        compare(asked.samples, asked.turns)
        return
    figures = checked(asked.check) if asked.check else uploaded(asked.upload[0], asked.upload[1], Path(asked.upload[2]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({**figures, "cpu": used.ru_utime + used.ru_stime, "megabytes": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
