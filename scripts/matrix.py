"""Runs a small suite on every Airflow, with several sets of packages: ``python scripts/matrix.py [LINE[:SET] …]``.

A cell is a minor version of Airflow (a line) with a set: `newest` has today's packages from PyPI, `release` those of
the day when the line's last version was released (about its constraints), `lowest` the line's first version with the
oldest packages that pyproject.toml allows, and others of that day. Each cell gets this provider's wheel in its own
virtual environment, created by uv and removed afterwards. Without arguments, all cells run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".matrix"
UV = FOLDER / "uv" / "bin" / "uv"
PYTHON = ">=3.11,<3.13"
"""Versions of Python that every line supports; one is enough."""
LINES = {
    "2.11": ("2.11.2", "2026-03-14", "2025-05-20"),
    "3.0": ("3.0.6", "2025-08-29", "2025-04-23"),
    "3.1": ("3.1.8", "2026-03-11", "2025-09-25"),
    "3.2": ("3.2.2", "2026-05-29", "2026-04-07"),
    "3.3": ("3.3.2", "2026-09-17", "2026-07-06"),
}
"""Maps a line to its last version, the day of that release, and the day of its first version."""
SETS = ("newest", "release", "lowest")
HELD_BACK = {
    # From 0.132 on, it refuses 3.0's own API requests, which have no content type: no task can run.
    "3.0": ("fastapi<0.132",),
    # Its API server needs the web framework of its time.
    "3.2": ("fastapi<0.137", "starlette<1.3", "cadwyn<7", "svcs<26"),
}
"""Limits for the newest set: packages whose newer versions this Airflow doesn't run with."""
WITH_SQL = ("apache-airflow-providers-common-sql>=1.30.4",)
TOO_LOW = {"3.2": WITH_SQL, "3.3": WITH_SQL}
"""Packages that a line needs newer than it declares: common.sql up to 1.30.0 imports names that 3.2 removed."""
LOWEST = ("--requirement", "pyproject.toml", "--resolution", "lowest-direct")
"""The file is named because the requirements of a wheel don't count as direct."""
SUITE = ("tests/airflow/test_every_version.py", "tests/airflow/test_supervisor_line.py")
PAGES = ("tests/airflow/ui",)
"""Tests of the page in Airflow's UI, for the lines that have it."""
WITHOUT_PAGES = ("2.11", "3.0", "3.1:lowest")
"""Lines, and a cell with the first version of its line, that have none."""
VERDICTS = ("tests/vendors", "tests/schemas", "tests/ledger")
"""Tests that depend on versions of our own dependencies, not on Airflow's: run once, with the lowest."""
NEEDED = ("pytest", "apache-airflow-providers-sqlite")
NEEDED_FOR_VERDICTS = ("hypothesis", "numpy", "pandas", "psycopg2-binary")
SHOWN = ("apache-airflow", "apache-airflow-providers-common-compat", "msgspec", "ciso8601", "sqlalchemy")


@dataclass
class Cell:
    """A line of Airflow with a set of packages, and the result of its tests."""

    line: str
    kind: str
    versions: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0
    broken: str = ""

    @property
    def name(self) -> str:
        """The cell's name on the command line."""
        return f"{self.line}:{self.kind}"

    @property
    def verdict(self) -> str:
        """The result in a word."""
        return self.broken or ("failed" if self.failed or not self.passed else "passed")

    def requirements(self) -> list[str]:
        """Return what uv installs with the wheel."""
        version = LINES[self.line][0]
        airflow = {
            "newest": [f"apache-airflow=={self.line}.*", *HELD_BACK.get(self.line, ())],
            "release": [f"apache-airflow=={version}", *self._day()],
            "lowest": [f"apache-airflow=={self.line}.*", *TOO_LOW.get(self.line, ()), *LOWEST, *self._day()],
        }
        return airflow[self.kind]

    def _day(self) -> list[str]:
        """Return uv's options for packages no newer than the cell's Airflow."""
        _, last, first = LINES[self.line]
        day = {"release": last, "lowest": first}.get(self.kind)
        return [] if day is None else ["--exclude-newer", f"{day}T23:59:59Z"]

    def run(self, wheel: Path) -> None:
        """Install, test, and count."""
        started, place = time.monotonic(), FOLDER / self.name.replace(":", "-")
        log = FOLDER / f"{place.name}.log"
        with log.open("w") as said:
            try:
                self._install(place, wheel, said.fileno())
                self._test(place, said.fileno())
            except subprocess.CalledProcessError as error:
                self.broken = f"broken: {Path(error.cmd[0]).name} exited with {error.returncode}"
            finally:
                shutil.rmtree(place, ignore_errors=True)
        self.seconds = time.monotonic() - started
        if self.verdict != "passed":
            print("".join(log.read_text().splitlines(keepends=True)[-60:]), flush=True)

    def _install(self, place: Path, wheel: Path, log: int) -> None:
        python = place / "bin" / "python"
        _run([UV, "venv", "--clear", "--python", PYTHON, place], log)
        # Our own requirements first: packages for the tests are installed later, and must not change them.
        _run([UV, "pip", "install", "--python", python, wheel, *self.requirements()], log)
        frozen = subprocess.run(  # noqa: S603  # our own words
            [UV, "pip", "freeze", "--python", python], capture_output=True, text=True, check=True
        ).stdout
        kept = place / "kept.txt"
        kept.write_text("".join(line + "\n" for line in frozen.splitlines() if "==" in line))
        tools = (*NEEDED, *NEEDED_FOR_VERDICTS) if self._has_verdicts() else NEEDED
        _run([UV, "pip", "install", "--python", python, *tools, "--constraint", kept, *self._day()], log)
        found = dict(line.split("==") for line in frozen.lower().splitlines() if "==" in line)
        self.versions = {name: found.get(name, "") for name in SHOWN}

    def _test(self, place: Path, log: int) -> None:
        report = place / "report.xml"
        suite = (*SUITE, *(PAGES if self._has_pages() else ()), *(VERDICTS if self._has_verdicts() else ()))
        command = [place / "bin" / "python", "-m", "pytest", "-q", "--durations=5", "--junitxml", report, *suite]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment["PYTHONSAFEPATH"] = "1"  # imports the wheel, not the checkout
        subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, stdout=log, stderr=log, check=False)  # noqa: S603
        if not report.exists():
            raise subprocess.CalledProcessError(1, "pytest")
        for case in ET.parse(report).iter("testcase"):  # noqa: S314  # written a moment ago
            skipped = case.find("skipped")
            if skipped is not None:
                self.skipped.append(f"{case.get('name')}: {skipped.get('message')}")
            elif case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            else:
                self.passed += 1

    def _has_pages(self) -> bool:
        return not {self.line, self.name} & set(WITHOUT_PAGES)

    def _has_verdicts(self) -> bool:
        return self.name == "2.11:lowest"


def cells(wanted: Sequence[str]) -> list[Cell]:
    """Return the cells that are named: `3.1`, `3.1:release`; all if none is."""
    every = [Cell(line, kind) for line in LINES for kind in SETS]
    unknown = set(wanted) - set(LINES) - {cell.name for cell in every}
    if unknown:
        sys.exit(f"No such cell: {', '.join(sorted(unknown))}. Lines: {', '.join(LINES)}; sets: {', '.join(SETS)}")
    return [cell for cell in every if not wanted or cell.line in wanted or cell.name in wanted]


def build() -> Path:
    """Build the wheel that all cells install."""
    folder = FOLDER / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    _run([UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT])
    (wheel,) = folder.glob("*.whl")
    return wheel


def table(done: Sequence[Cell]) -> str:
    """Return a table of the cells' versions and results, and the reasons of skipped tests."""
    head = ("cell", "airflow", "compat", "msgspec", "ciso8601", "sqlalchemy", "passed", "failed", "skipped", "s", "")
    rows: list[tuple[str, ...]] = [head]
    for cell in done:
        counts = (cell.passed, cell.failed, len(cell.skipped), round(cell.seconds))
        rows.append((cell.name, *(cell.versions.get(name) or "-" for name in SHOWN), *map(str, counts), cell.verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += [f"skipped on {cell.name}: {why}" for cell in done for why in cell.skipped]
    return "\n".join(lines)


def _run(command: Sequence[str | Path], log: int | None = None) -> None:
    # uv must not download its own Python: the machine's is tested.
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(list(map(str, command)), cwd=ROOT, env=environment, stdout=log, stderr=log, check=True)  # noqa: S603


def main() -> int:
    """Run the cells one after the other, print the table, and return the exit status."""
    done, wheel = cells(sys.argv[1:]), build()
    for cell in done:
        cell.run(wheel)
        print(f"{cell.name}: {cell.verdict}, {cell.passed} passed, {cell.seconds:.0f} s", flush=True)
    print(f"\n{table(done)}\n")
    passed = sum(cell.passed for cell in done)
    failed = sum(cell.failed for cell in done)
    print(f"{sum(cell.verdict == 'passed' for cell in done)} of {len(done)} cells passed")
    print(f"{passed} passed, {failed} failed, {sum(len(cell.skipped) for cell in done)} skipped")
    return 0 if all(cell.verdict == "passed" for cell in done) else 1


if __name__ == "__main__":
    sys.exit(main())
