"""Finds the browser of `make test-ui`, or installs it: ``python -m scripts.chromium`` prints where it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from scripts.servers import installed

ARGUMENTS = [
    "--no-sandbox",  # it can't have one as root, and sees nothing but this machine's own pages
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def found() -> Path:
    """Return the program; install it first, if possible."""
    return installed(_found, "Chromium", "chromium")


def _found() -> Path | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((Path(path) for name in names if (path := shutil.which(name))), None)


if __name__ == "__main__":
    print(subprocess.run([found(), "--version"], capture_output=True, text=True, check=True).stdout.strip())  # noqa: S603
