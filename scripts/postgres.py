"""Runs a command with its own PostgreSQL server: ``python scripts/postgres.py COMMAND``.

The server starts before the command and stops after it, listens on a free port of the loopback interface, and keeps its
data in a temporary folder. The command finds its address in the environment, as USERDATA_TEST_POSTGRES.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

VARIABLE = "USERDATA_TEST_POSTGRES"
_OWNER = "postgres"  # the user that Debian's package creates; the server refuses to run as root


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; install them first, if possible with Debian's packages."""
    found = _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing PostgreSQL (a minute)…", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", "postgresql"]):
            command = ["apt-get", *arguments]
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)  # noqa: S603  # fixed words
        found = _found()
    if found is None:
        sys.exit("PostgreSQL's server is needed: Debian and Ubuntu have it in the package postgresql.")
    return found


def _found() -> Path | None:
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if (installed := shutil.which("initdb")) is not None:
        folders.append(Path(installed).resolve().parent)
    return max(folders, key=lambda folder: [int(number) for number in re.findall(r"\d+", str(folder))], default=None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server, and yield the address of its database."""
    folder = programs()
    with tempfile.TemporaryDirectory(prefix="userdata-postgres-") as name:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_OWNER)
            os.chown(name, owner.pw_uid, owner.pw_gid)
        data, port = f"{name}/data", _free_port()
        _run([str(folder / "initdb"), "-D", data, "-A", "trust", "-U", _OWNER, "-E", "UTF8", "--no-sync"], name)
        options = f"-p {port} -h 127.0.0.1 -k {name} -c fsync=off"  # its data need not survive a crash
        control = [str(folder / "pg_ctl"), "-D", data, "-w"]
        _run([*control, "-l", f"{name}/log", "-o", options, "start"], name)
        try:
            yield f"postgresql+psycopg://{_OWNER}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], name)


def _run(command: Sequence[str], folder: str) -> None:
    # No pipe: the server inherits pg_ctl's files, and would keep it open.
    with (Path(folder) / "said").open("w+") as said:
        user = _OWNER if os.geteuid() == 0 else None
        done = subprocess.run(command, cwd=folder, user=user, stdout=said, stderr=said, check=False)  # noqa: S603
        if done.returncode:
            said.seek(0)
            sys.exit(f"{Path(command[0]).name} failed:\n{said.read()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run the command, and return its exit code."""
    if not sys.argv[1:]:
        print(__doc__)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the server would outlive the command
    with server() as address:
        environment = {**os.environ, VARIABLE: address}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode  # noqa: S603  # the caller's own


if __name__ == "__main__":
    sys.exit(main())
