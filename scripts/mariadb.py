"""Runs a command with its own MariaDB server: ``python -m scripts.mariadb COMMAND``.

The server starts before the command and stops after it, listens on a free port of the loopback interface, and keeps its
data in a temporary folder. The command finds its address in the environment, as USERDATA_TEST_MYSQL.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.servers import free_port, installed, run, run_with

LONGEST_START = 60.0
"""Seconds that the server may take to listen."""
_OWNER = "nobody"  # the server refuses to run as root


def _found() -> tuple[str, str] | None:
    """Return the server, and the program that makes its first tables."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    server, maker = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    return None if server is None or maker is None else (server, maker)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server, and yield the address of its database."""
    # This package alone starts no server of its own, as `mariadb-server` would.
    daemon, maker = installed(_found, "MariaDB", "mariadb-server-core")
    user = _OWNER if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="userdata-mariadb-") as name:
        if user is not None:
            os.chown(name, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data, port = f"--datadir={name}/data", free_port()
        run([maker, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"], name, user)
        options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={name}/socket", f"--pid-file={name}/pid"]
        quick = ["--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve"]  # its data need not survive a crash
        with (Path(name) / "log").open("w") as log:
            running = subprocess.Popen(  # noqa: S603  # fixed words
                [daemon, "--no-defaults", data, *options, *quick], user=user, stdout=log, stderr=log
            )
        try:
            _await(running, port, Path(name) / "log")
            yield f"mysql+pymysql://root@127.0.0.1:{port}/mysql"
        finally:
            running.kill()
            running.wait()


def _await(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while running.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"MariaDB didn't start:\n{log.read_text()}")


if __name__ == "__main__":
    sys.exit(run_with(server, "USERDATA_TEST_MYSQL", __doc__))
