"""What scripts share that run a command with a database server of its own, which ends after the command."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def installed(find: Callable[[], T | None], name: str, package: str) -> T:
    """Return where a server's programs are; install them first, if possible with Debian's packages.

    :param find: returns None if they aren't installed.
    :param name: the server's name.
    :param package: its package on Debian.
    """
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {name} (a minute)…", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", package]):
            command = ["apt-get", *arguments]
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)  # noqa: S603  # fixed words
        found = find()
    if found is None:
        sys.exit(f"{name}'s server is needed: Debian and Ubuntu have it in the package {package}.")
    return found


def run(command: list[str], folder: str, user: str | None) -> None:
    """Run one of a server's programs, and exit with what it says if it fails."""
    # No pipe: a server inherits the files of the program that starts it, and would keep it open.
    with (Path(folder) / "said").open("w+") as said:
        done = subprocess.run(command, cwd=folder, user=user, stdout=said, stderr=said, check=False)  # noqa: S603
        if done.returncode:
            said.seek(0)
            sys.exit(f"{Path(command[0]).name} failed:\n{said.read()}")


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_with(server: Callable[[], AbstractContextManager[str]], variable: str, usage: str | None) -> int:
    """Run the command that this script's arguments are, and return its exit code.

    :param server: runs the server, and yields its address.
    :param variable: the variable of the command's environment that has the address.
    :param usage: what to print if there is no command.
    """
    if not sys.argv[1:]:
        print(usage)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the server would outlive the command
    with server() as address:
        environment = {**os.environ, variable: address}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode  # noqa: S603  # the caller's own
