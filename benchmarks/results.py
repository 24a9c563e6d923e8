"""Writes RESULTS.md: each case's latest tables, with the command, the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import platform
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.places import FOLDER

_FILE = FOLDER / "RESULTS.md"
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
    when = f"`make bench ONLY={name}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_machine()}; load before: {load_before}"
    return f"## {title}\n\n{words}\n\n{tables}\n{when}\n"


def keep(title: str, text: str, titles: Iterable[str]) -> Path:
    """Put a case's section into RESULTS.md in place of its earlier one; those of other cases stay.

    :param titles: of all cases, in their order.
    """
    sections = {**_sections(), title: text}
    _FILE.write_text("\n".join([_head(), *(sections[one] for one in titles if one in sections)]), encoding="utf-8")
    return _FILE


def _sections() -> dict[str, str]:
    """Return the sections of RESULTS.md by their titles."""
    parts = re.split(r"^(?=## )", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE) if _FILE.exists() else []
    return {part.partition("\n")[0].removeprefix("## "): f"{part.rstrip()}\n" for part in parts[1:]}


def _head() -> str:
    return f"""# Results

Written by `make bench`, which measures all of this anew; README.md says what is measured, and how.

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
