"""Runs a command with its own PostgreSQL server: ``python -m scripts.postgres COMMAND``.

The server starts before the command and stops after it, listens on a free port of the loopback interface, and keeps its
data in a temporary folder. The command finds its address in the environment, as USERDATA_TEST_POSTGRES.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scripts.servers import free_port, installed, run, run_with

_OWNER = "postgres"  # the user that Debian's package creates; the server refuses to run as root


def _found() -> Path | None:
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if (program := shutil.which("initdb")) is not None:
        folders.append(Path(program).resolve().parent)
    return max(folders, key=lambda folder: [int(number) for number in re.findall(r"\d+", str(folder))], default=None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server, and yield the address of its database."""
    folder = installed(_found, "PostgreSQL", "postgresql")
    user = _OWNER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="userdata-postgres-") as name:
        if user is not None:
            os.chown(name, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data, port = f"{name}/data", free_port()
        run([str(folder / "initdb"), "-D", data, "-A", "trust", "-U", _OWNER, "-E", "UTF8", "--no-sync"], name, user)
        options = f"-p {port} -h 127.0.0.1 -k {name} -c fsync=off"  # its data need not survive a crash
        control = [str(folder / "pg_ctl"), "-D", data, "-w"]
        run([*control, "-l", f"{name}/log", "-o", options, "start"], name, user)
        try:
            yield f"postgresql+psycopg://{_OWNER}@127.0.0.1:{port}/postgres"
        finally:
            run([*control, "-m", "immediate", "stop"], name, user)


if __name__ == "__main__":
    sys.exit(run_with(server, "USERDATA_TEST_POSTGRES", __doc__))
