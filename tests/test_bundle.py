"""The page's committed bundle, as far as it can be judged without Node; `make ui-check` builds it again."""

import json
from pathlib import Path

import pytest

from airflow_provider_userdata.ui import plugin

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def bundle() -> str:
    """Return the text of what browsers load."""
    return plugin.BUNDLE.read_text()


def test_it_sets_both_names_that_the_plugin_registers(bundle: str) -> None:
    """Airflow runs a bundle once, and looks for each app under its name."""
    assert f'Object.assign(globalThis,{{"{plugin.PAGE}":' in bundle
    assert f",{plugin.TAB}:" in bundle[bundle.rindex("Object.assign(globalThis") :]


def test_it_takes_what_airflow_shares_and_asks_for_nothing_else(bundle: str) -> None:
    """A browser has no `require` and no `process`, and the page may have one React only."""
    shared = bundle.rstrip().removesuffix(");").rpartition("(")[2]
    assert set(shared.split(",")) == {"React", "ReactDOM", "ReactJSXRuntime", "ReactRouterDOM"}
    assert "require(" not in bundle
    assert "process.env" not in bundle


def test_it_names_no_machine(bundle: str) -> None:
    """A bundle with the builder's paths would differ elsewhere."""
    assert str(ROOT) not in bundle
    assert "node_modules" not in bundle


def test_the_licences_of_what_is_in_it_come_along() -> None:
    """They ask for it."""
    licences = plugin.BUNDLE.with_name("licenses.md").read_text()
    assert all(f"## {name} - " in licences for name in ("@chakra-ui/react", "@emotion/react", "recharts"))


def test_the_lock_serves_with_any_registry() -> None:
    """It says what each package must be, and not from where."""
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
