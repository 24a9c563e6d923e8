"""Writes RESULTS.md: each case's latest tables, with the machine, the command and the versions."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import platform
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.places import FOLDER, RESULTS

INSTALLED = ("apache-airflow", "aiohttp", "msgspec")
PINNED = {
    "loops": ("requests", "jsonschema"),
    "http_hook": ("apache-airflow-providers-http",),
    "dlt": ("dlt",),
    "elasticsearch": ("elasticsearch",),
}


def load() -> str:
    """Say how busy the machine is: of other people's work, where this is asked before a case."""
    return f"{os.getloadavg()[0]:.1f}"


def section(name: str, title: str, measure: Callable[..., str], tables: str, load_before: str) -> str:
    """Write one case's section; what stands under its title is what the case's docstring says."""
    words = inspect.cleandoc(measure.__doc__ or "").replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n")
    when = f"`make bench ONLY={name}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load before: {load_before}"
    return f"## {title}\n\n{words}\n\n{tables}\n{when}\n"


def keep(name: str, text: str) -> None:
    """Keep a case's section for the next RESULTS.md, also where only others are measured then."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


def write(names: list[str]) -> Path:
    """Write RESULTS.md from what was kept of the cases, in their order."""
    kept = [RESULTS / f"{name}.md" for name in names]
    sections = [path.read_text(encoding="utf-8") for path in kept if path.exists()]
    file = FOLDER / "RESULTS.md"
    file.write_text("\n".join([_head(), *sections]), encoding="utf-8")
    return file


def _head() -> str:
    return f"""# Results

Written by `make bench`, which measures all of this anew; README.md says what is measured, and how.

- machine: {_machine()}
- this project with {", ".join(f"{name} {importlib.metadata.version(name)}" for name in INSTALLED)}
- beside it: {", ".join(_pinned())}
"""


def _machine() -> str:
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    chip = model[1] if model else platform.machine()
    return f"{cores} cores of {chip}, {memory:.0f} GB, Linux {platform.release()}, Python {platform.python_version()}"


def _pinned() -> list[str]:
    found = []
    for environment, names in PINNED.items():
        text = (FOLDER / "requirements" / f"{environment}.txt").read_text()
        for name in names:
            version = re.search(rf"^{name}==(\S+)$", text, re.MULTILINE)
            found.append(f"{name} {version[1]}" if version else name)
    return found
