"""Makes what the contestants need: a virtual environment for each rival, the server, an Airflow database."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.places import BENCH, FOLDER, ROOT, BenchmarkError, clean_environment, say

OURS = ""
"""The environment that runs the benchmark is this project's own."""
SERVER = BENCH / "server"


def python_of(environment: str) -> str:
    """Give the interpreter of an environment, and make the environment first where its requirements changed."""
    if environment == OURS:
        return sys.executable
    requirements = FOLDER / "requirements" / f"{environment}.txt"
    folder = BENCH / "environments" / environment
    python, done = folder / "bin" / "python", folder / "made-from.txt"
    if not done.exists() or done.read_text() != requirements.read_text():
        say(f"Making the virtual environment of {environment} (up to a minute, the first time only)…")
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--requirement"]
        _run(*install, str(requirements))
        _run(str(python), "-m", "compileall", "-q", "-j", "0", str(folder / "lib"), may_fail=True)
        done.write_text(requirements.read_text())
    return str(python)


def built_server() -> Path:
    """Compile the server where its source changed.

    :raises BenchmarkError: if this machine can't.
    """
    sources = sorted((FOLDER / "server").glob("*.[ch]"))
    if SERVER.exists() and SERVER.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return SERVER
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or sys.platform != "linux":
        raise BenchmarkError("The benchmark's server needs Linux and a C compiler: install `cc`, or name one as CC.")
    BENCH.mkdir(exist_ok=True)
    files = [str(path) for path in sources if path.suffix == ".c"]
    _run(compiler, "-O2", "-Wall", "-Wextra", "-o", str(SERVER), *files)
    return SERVER


def airflow_home(template: Path, name: str) -> Path:
    """Make a home for one Airflow process, with a copy of a database that is made once.

    :param template: a folder that lives as long as the benchmark.
    """
    database = template / "template" / "airflow.db"
    if not database.exists():
        say("Making a database for Airflow (about ten seconds)…")
        database.parent.mkdir()
        _run(sys.executable, "-m", "airflow", "db", "migrate", home=database.parent)
    home = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=template))
    (home / "dags").mkdir()
    shutil.copy(database, home)
    return home


def airflow_settings(home: Path) -> dict[str, str]:
    """Give the environment variables of an Airflow that lives in a folder."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    }


def _run(*command: str, may_fail: bool = False, home: Path | None = None) -> None:
    settings = airflow_settings(home) if home else {}
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(**settings), capture_output=True, text=True, check=False
    )
    if done.returncode and not may_fail:
        raise BenchmarkError(f"`{' '.join(command[:4])} …` failed:\n{(done.stderr or done.stdout)[-3000:]}")
