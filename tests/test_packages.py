"""What is published: a wheel and a source distribution, built as a release builds them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TREE = ("airflow_provider_userdata", "pyproject.toml", "setup.cfg", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both of a copy, so that nothing is left in the project."""
    tree = tmp_path_factory.mktemp("tree")
    for path in (ROOT / name for name in TREE if (ROOT / name).exists()):
        if path.is_dir():
            shutil.copytree(path, tree / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, tree)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree / "dist"), str(tree)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return tree / "dist"


@pytest.mark.slow
def test_the_wheel_holds_the_licence_and_names_it(built: Path) -> None:
    """Where tools that list licences look for it."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        (metadata,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        about = wheel.read(metadata).decode()
        text = wheel.read(metadata.replace("METADATA", "licenses/LICENSE")).decode()
    assert {"License-Expression: Apache-2.0", "License-File: LICENSE"} <= set(about.splitlines())
    assert text == (ROOT / "LICENSE").read_text()
    assert "Apache License" in text


def test_the_wheel_holds_what_is_no_python(built: Path) -> None:
    """The schemas, the sandbox's page and the mark that the package is typed."""
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    package = ROOT / "airflow_provider_userdata"
    data = {path for path in package.rglob("*") if path.suffix in {".json", ".html"} or path.name == "py.typed"}
    assert len(data) > 3
    assert {str(path.relative_to(ROOT)) for path in data} <= names


def test_the_source_distribution_holds_the_licence(built: Path) -> None:
    """Whoever packages it for a distribution needs it there."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        assert {"LICENSE", "README.md"} <= {name.partition("/")[2] for name in archive.getnames()}
