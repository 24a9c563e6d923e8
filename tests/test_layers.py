"""Arrows point down: the core starts without Airflow, and the linter keeps it so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ["vendors", "delivery", "ledger", "sources", "sandbox", "schemas"]


@pytest.mark.parametrize("package", [*CORE, "hooks", "hooks.address", "errors"])
def test_the_core_starts_without_airflow(package: str) -> None:
    """Importing every module of a package of the core leaves Airflow alone; of the hooks, the pure part does."""
    code = f"""
import importlib, pkgutil, sys
package = importlib.import_module("airflow_provider_userdata.{package}")
if "." not in "{package}" and "{package}" != "hooks":
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
        if not module.name.endswith(("__main__", "pytest_plugin")):
            importlib.import_module(module.name)
found = sorted(name for name in sys.modules if name == "airflow" or name.startswith("airflow."))
sys.exit(f"imports {{found[:3]}}" if found else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("vendors/x.py", True),
        ("delivery/x.py", True),
        ("ledger/x.py", True),
        ("sources/x.py", True),
        ("sandbox/x.py", True),
        ("schemas/x.py", True),
        ("x.py", True),
        ("hooks/x.py", True),
        ("operators/x.py", True),
        ("decorators/x.py", True),
        ("cli/x.py", True),
        ("airflow_compat.py", False),
    ],
)
@pytest.mark.parametrize("line", ["import airflow\n", "from airflow.sdk import DAG\n"])
def test_the_linter_refuses_airflow_everywhere_but_in_one_module(path: str, refused: bool, line: str) -> None:
    """Airflow's names move: what imports them elsewhere than in `airflow_compat` doesn't pass the linter."""
    name = f"airflow_provider_userdata/{path}"
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "concise"]
    command += ["--stdin-filename", name, "-"]
    done = subprocess.run(command, cwd=ROOT, input=line, capture_output=True, text=True, timeout=60, check=False)

    assert ("TID251" in done.stdout) is refused, done.stdout + done.stderr
    assert done.returncode == int(refused), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("folder", "above"),
    [
        ("vendors", "delivery.plan"),
        ("vendors", "sandbox"),
        ("vendors", "airflow_compat"),
        ("delivery", "airflow_compat"),
        ("ledger", "airflow_compat"),
        ("sources", "airflow_compat"),
        ("sandbox", "airflow_compat"),
        ("delivery", "vendors.thymia"),
        ("delivery", "sources"),
        ("delivery", "operators.base"),
        ("ledger", "vendors.contract"),
        ("ledger", "delivery.plan"),
        ("ledger", "operators.ledger_settings"),
        ("sources", "vendors.contract"),
        ("sources", "hooks.base"),
        ("sandbox", "vendors.gerosense"),
        ("sandbox", "delivery.report"),
    ],
)
def test_the_linter_refuses_arrows_that_point_up(folder: str, above: str) -> None:
    """A folder's own ruff.toml bans what lies above it, and what it must know nothing of."""
    name = f"airflow_provider_userdata/{folder}/x.py"
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", name, "-"]
    line = f"import airflow_provider_userdata.{above}\n"
    done = subprocess.run(command, cwd=ROOT, input=line, capture_output=True, text=True, timeout=60, check=False)

    assert "TID251" in done.stdout, done.stdout + done.stderr
