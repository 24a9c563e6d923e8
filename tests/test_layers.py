"""Arrows point down: the core starts without Airflow, and the linter keeps it so."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "airflow_provider_userdata"
PLACES = ("hooks", "operators", "decorators", "cli", "sandbox", "schemas")
"""Folders whose modules have names that people import: they export nothing of their own."""
SHARED = ("contract", "answers", "rules", "failure_signs")
"""The files of vendors/ that are no single vendor's: whoever serves one vendor imports that one's own files."""
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
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
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
        ("ui/x.py", True),
        ("ui/api.py", False),  # runs in the API server alone
        ("airflow_compat.py", False),
    ],
)
@pytest.mark.parametrize("line", ["import airflow\n", "from airflow.sdk import DAG\n"])
def test_the_linter_refuses_airflow_everywhere_but_in_one_module(path: str, refused: bool, line: str) -> None:
    """Airflow's names move: what imports them elsewhere than in `airflow_compat` doesn't pass the linter."""
    name = f"airflow_provider_userdata/{path}"
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--output-format", "concise"]
    command += ["--stdin-filename", name, "-"]
    done = subprocess.run(command, cwd=ROOT, input=line, capture_output=True, text=True, timeout=600, check=False)

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
        ("records", "vendors.contract"),
        ("vendors/validation", "vendors.gerosense"),
        ("vendors/pii", "vendors.thymia"),
        ("delivery/reading", "delivery.resuming"),
        ("delivery/reading", "delivery.preparing"),
        ("delivery/preparing", "delivery.recording"),
        ("delivery/recording", "delivery.resuming"),
        ("delivery/resuming", "delivery.sending"),
        ("delivery/sending", "delivery.recording"),
        ("delivery/sending", "vendors.ptengine"),
        ("delivery/incremental", "delivery.sending"),
        ("delivery/carry_over", "delivery.engine"),
    ],
)
def test_the_linter_refuses_arrows_that_point_up(folder: str, above: str) -> None:
    """A folder's own ruff.toml bans what lies above it, and what it must know nothing of."""
    name = f"airflow_provider_userdata/{folder}/x.py"
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", name, "-"]
    line = f"import airflow_provider_userdata.{above}\n"
    done = subprocess.run(command, cwd=ROOT, input=line, capture_output=True, text=True, timeout=600, check=False)

    assert "TID251" in done.stdout, done.stdout + done.stderr


def imports(file: Path) -> list[tuple[str, ...]]:
    """Give the modules of this package that a file imports, each as the parts of its path."""
    found: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow_provider_userdata."):
            parts = tuple((node.module or "").split(".")[1:])
            modules = [parts]
            if PACKAGE.joinpath(*parts).is_dir():
                names = [(*parts, name.name) for name in node.names]
                modules = [name if PACKAGE.joinpath(*name).with_suffix(".py").exists() else parts for name in names]
            found += modules
    return found


def room_of(module: tuple[str, ...]) -> tuple[str, ...]:
    """Give the folder that a module is in, or that it is."""
    return module if PACKAGE.joinpath(*module).is_dir() else module[:-1]


def test_nobody_outside_a_room_imports_from_deeper() -> None:
    """What a room offers stands in its `__init__`: only its own files, and modules as a whole, are reached past it."""
    deeper: list[str] = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow_provider_userdata."):
                module = tuple((node.module or "").split(".")[1:])
                if is_deep(module) and not file.is_relative_to(PACKAGE / house_of(module)):
                    deeper.append(f"{file.relative_to(PACKAGE)} -> {'.'.join(module)}")

    assert deeper == []


def is_deep(module: tuple[str, ...]) -> bool:
    """Say whether a module is a file of a room that exports what others may use."""
    room = room_of(module)
    a_vendors_own = room == ("vendors",) and module[-1] not in SHARED
    return module != room and len(room) > 0 and room[0] not in PLACES and not a_vendors_own


def house_of(module: tuple[str, ...]) -> str:
    """Give the folder whose files may import a module by its full path: the delivery's rooms are one house."""
    return "delivery" if module[0] == "delivery" else "/".join(room_of(module))


def test_the_rooms_of_the_delivery_have_no_circle() -> None:
    """A room that another one needs doesn't need it in turn."""
    graph: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[:-1]
        if len(room) > 1 or room == ("records",):
            graph.setdefault(room, set()).update(
                other for module in imports(file) if len(other := room_of(module)) > 1 and other != room
            )

    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_a_part_that_cannot_be_imported_says_why() -> None:
    """A vendor's part is loaded late: its own error must not be hidden by the loading."""
    code = """
import sys
sys.modules["ciso8601"] = None
from airflow_provider_userdata import registry
try:
    list(registry.contracts())
except ImportError as error:
    sys.exit(0 if "ciso8601" in str(error) else str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )

    assert done.returncode == 0, done.stderr
