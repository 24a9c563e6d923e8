"""What Airflow's UI is given, and what every task's process has to load for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

import pytest

from airflow_provider_userdata import registry
from airflow_provider_userdata.decorators.gerosense import gerosense_samples_task
from airflow_provider_userdata.ui import plugin, support
from airflow_provider_userdata.ui.plugin import UserdataPlugin

Given = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a bundle."""
    path = tmp_path / "main.js"
    path.write_text("export {};")
    monkeypatch.setattr(plugin, "BUNDLE", path)
    return path


@pytest.fixture
def react_apps(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Given]:
    """Give what an Airflow gets of the page and the tab: ``react_apps((3, 4, 0))``."""

    def get(version: tuple[int, ...] = (3, 3, 2)) -> list[dict[str, Any]]:
        monkeypatch.setattr(support, "airflow_version", lambda: version)
        forget()
        return UserdataPlugin().react_apps

    yield get
    forget()


def forget() -> None:
    """Forget what was built."""
    plugin._fastapi_apps.cache_clear()
    plugin._react_apps.cache_clear()


def test_the_plugin_is_found_by_its_entry_point() -> None:
    """The one way in which Airflow looks for a provider's plugin by default."""
    (found,) = (one for one in entry_points(group="airflow.plugins") if one.name == "userdata")
    assert found.load() is UserdataPlugin


def test_the_page_is_in_the_menu(react_apps: Given) -> None:
    """Under Browse; its component has the name that the menu shows."""
    (page,) = react_apps()
    where = {"name": "User data", "destination": "nav", "category": "browse", "url_route": "userdata"}
    assert page.items() >= where.items()


@pytest.mark.parametrize("version", [(3, 0, 6), (3, 1, 0)])
def test_an_older_airflow_gets_nothing(react_apps: Given, version: tuple[int, ...]) -> None:
    """Without a word."""
    assert react_apps(version) == []
    assert UserdataPlugin().fastapi_apps == []


@pytest.mark.parametrize(
    ("version", "setting", "shown"),
    [
        ((3, 1, 1), "", False),
        ((3, 3, 2), "false", False),
        ((3, 3, 2), "nonsense", False),
        ((3, 3, 2), "True", True),
        ((3, 4, 0), "", True),
    ],
)
def test_the_tab_is_there_where_it_is_wanted(
    react_apps: Given, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], setting: str, shown: bool
) -> None:
    """Where Airflow shows it on our tasks alone, or by a setting: else it would be on every task of every DAG."""
    monkeypatch.setenv("AIRFLOW__USERDATA__TAB_ON_ALL_TASKS", setting)
    names = [app["name"] for app in react_apps(version)]
    assert names == ["User data", *(["Upload"] if shown else [])]


def test_the_tab_is_for_our_tasks(react_apps: Given) -> None:
    """Named as Airflow knows them: an operator's class, a decorated task's decorator."""
    tab = react_apps((3, 4, 0))[1]
    assert (tab["destination"], tab["url_route"]) == ("task_instance", "userdata-upload")
    names = tab["applies_to"]["operator_names"]
    assert len(names) == 2 * len(registry.VENDORS)
    for vendor in registry.VENDORS:
        assert registry._loaded(vendor.operator).__name__ in names

    def samples() -> list[Any]:
        return []

    decorated = cast("Any", gerosense_samples_task(samples, data_type="steps")).operator_class
    assert decorated.custom_operator_name in names


def test_the_bundle_has_an_address_that_changes_with_it(
    react_apps: Given, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below Airflow's base path; so no browser shows an old one."""
    first = react_apps()[0]["bundle_url"]
    assert first.startswith("/userdata/static/main.js?v=")
    bundle.write_text("export default 1;")
    assert react_apps()[0]["bundle_url"] != first
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.com/af/")
    assert react_apps()[0]["bundle_url"].startswith("/af/userdata/static/main.js?v=")


def test_without_a_bundle_there_is_no_page(react_apps: Given, bundle: Path) -> None:
    """A menu entry that opens nothing is worse than none."""
    bundle.unlink()
    assert react_apps() == []


def test_an_airflow_whose_internals_moved_starts_without_the_page(
    react_apps: Given, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And says why."""
    monkeypatch.setitem(sys.modules, "airflow_provider_userdata.ui.api", None)
    assert react_apps() == []
    assert "The page User data can't be shown by this Airflow: ModuleNotFoundError" in caplog.text


def test_airflow_may_remove_what_conflicts(react_apps: Given) -> None:
    """It does so in the list that it got, and reads that again."""
    first = react_apps()
    assert UserdataPlugin().react_apps is first


def test_a_tasks_process_loads_next_to_nothing() -> None:
    """Every task of every DAG creates the plugin: no web framework, no ORM, none of our operators."""
    code = """
import sys
import airflow.sdk.execution_time.task_runner
before = set(sys.modules)
from airflow_provider_userdata.ui.plugin import UserdataPlugin
plugin = UserdataPlugin()
plugin.macros, plugin.listeners, plugin.on_load()
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "airflow_provider_userdata.ui.plugin" in loaded
    ours = {"airflow_provider_userdata", "airflow_provider_userdata.airflow_compat"}
    ours |= {"airflow_provider_userdata.registry", "airflow_provider_userdata.ui"}
    ours |= {"airflow_provider_userdata.ui.plugin", "airflow_provider_userdata.ui.support"}
    rest = [name for name in loaded if name not in ours and not name.startswith("airflow.providers.common")]
    assert rest == []
