"""The pytest fixture `userdata_sandbox`: whatever Airflow knows of the real vendors, a test sends nothing to them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseHook
from airflow.secrets import BaseSecretsBackend

import airflow_provider_userdata
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.connections import lead_to

ROOT = Path(airflow_provider_userdata.__file__).parents[1]
NAMES = ("thymia", "gerosense", "ptengine")
REAL = "real-vendor.example.com"


class Vault(BaseSecretsBackend):
    """Stands for a secrets backend that knows the real vendors; Airflow asks it before the environment."""

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str:  # only Airflow 3 has teams
        """Give a real connection, whatever is asked for."""
        return real(conn_id.partition("_")[0])


def real(kind: str) -> str:
    """Write a connection that no test may use."""
    return json.dumps({"conn_type": kind, "host": REAL, "password": "a real key"})


def hosts(*ids: str) -> set[str]:
    """Look connections up, as tasks do."""
    wanted = ids or [f"{name}_default" for name in NAMES]
    return {str(BaseHook.get_connection(name).host) for name in wanted}


@pytest.fixture
def vendors() -> Iterator[Sandbox]:
    """Run the three vendors, without a fixture that leads anywhere."""
    with Sandbox(keep=None) as sandbox:
        yield sandbox


def test_the_fixture_leads_the_three_connections_to_the_sandbox(userdata_sandbox: Sandbox) -> None:
    """Without a word of the test's."""
    assert hosts() == {userdata_sandbox.url}


def test_real_connections_in_the_shell_are_replaced_and_restored(
    vendors: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three, and those of other names that lead to a vendor, as JSON and as URI; all others stay."""
    before = {
        "AIRFLOW_CONN_PTENGINE_DEFAULT": real("ptengine"),
        "AIRFLOW_CONN_GEROSENSE_EU": f"gerosense://:key@{REAL}",
        "AIRFLOW_CONN_CRM": real("ptengine"),
    }
    others = {"AIRFLOW_CONN_SHOP": "sqlite:///shop.db", "AIRFLOW_CONN_BROKEN": "{"}
    for name, value in {**before, **others}.items():
        monkeypatch.setenv(name, value)
    with pytest.MonkeyPatch.context() as changes:
        lead_to(vendors, changes)
        assert hosts() | hosts("gerosense_eu", "crm") == {vendors.url}
        assert {name: os.environ[name] for name in others} == others
    assert {name: os.environ[name] for name in before} == before
    assert "AIRFLOW_CONN_THYMIA_DEFAULT" not in os.environ
    assert hosts("gerosense_eu", "crm", "ptengine_default") == {REAL}


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({"conn_type": "gerosense", "login": "real", "password": "real", "extra": {"api": "direct"}}),
        json.dumps({"conn_type": "gerosense", "login": "real", "password": "real", "extra": '{"api": "direct"}'}),
        f"gerosense://real:real@{REAL}?api=direct",
        f"gerosense://real:real@{REAL}?__extra__=%7B%22api%22%3A+%22direct%22%7D",
    ],
)
def test_accounts_of_the_direct_api_lead_to_it(value: str, vendors: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also as the default connection: a proxy's would not fit the task."""
    for name in ("GEROSENSE_DEFAULT", "OURS"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", value)
    with pytest.MonkeyPatch.context() as changes:
        lead_to(vendors, changes)
        for name in ("gerosense_default", "ours", "gerosense_direct"):
            found = BaseHook.get_connection(name)
            assert (found.host, found.login) == (vendors.url, "sandbox-gerosense-account")
            assert found.extra_dejson == {"api": "direct"}


def test_what_a_test_sets_itself_is_put_back(monkeypatch: pytest.MonkeyPatch, userdata_sandbox: Sandbox) -> None:
    """Changes of the environment are undone in the right order, though `monkeypatch` was there before the fixture."""
    assert json.loads(os.environ["AIRFLOW_CONN_THYMIA_DEFAULT"])["host"] == userdata_sandbox.url
    monkeypatch.setenv("AIRFLOW_CONN_THYMIA_DEFAULT", real("thymia"))


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    """See that the environment is what it was before this file's tests."""
    before = dict(os.environ)
    yield
    assert {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN")} == {
        name: value for name, value in before.items() if name.startswith("AIRFLOW_CONN")
    }


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Airflow have a secrets backend, and have looked it up already, as any earlier test may have had it do."""
    monkeypatch.setitem(sys.modules, "real_vault", SimpleNamespace(Vault=Vault))
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "real_vault.Vault")
    for name in ("airflow.configuration", "airflow.sdk.configuration"):
        module: Any = sys.modules.get(name)
        if hasattr(module, "secrets_backend_list"):
            monkeypatch.setattr(module, "secrets_backend_list", module.initialize_secrets_backends())
        if hasattr(module, "_secrets_backend_cache"):
            monkeypatch.setattr(module, "_secrets_backend_cache", {})


def test_a_secrets_backend_is_not_asked(vault: None, vendors: Sandbox) -> None:
    """Airflow asks it first, and keeps it from its first look-up on."""
    assert hosts() == {REAL}
    with pytest.MonkeyPatch.context() as changes:
        lead_to(vendors, changes)
        assert hosts() == {vendors.url}
    assert hosts() == {REAL}


def test_a_task_asks_no_secrets_backend(vault: None, new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Any) -> None:
    """Inside a run, Airflow looks in other places than outside."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=people(3))
    assert run_dag(dag).state == "success"
    assert sandbox.ptengine.counts.distinct == 3


def test_the_example_of_the_readme_delivers(airflow_home: Path, vendors: Sandbox, tmp_path: Path) -> None:
    """As it is written, in a shell that has a real connection."""
    (example,) = re.findall(r"```python\n(from my_dags .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "test_example.py").write_text(example)
    (tmp_path / "my_dags.py").write_text(
        "from airflow.providers.common.compat.sdk import DAG\n"
        "from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator\n"
        "with DAG('crm', schedule=None) as crm:\n"
        "    PtengineProfilesOperator(task_id='upload', source=[{'user_id': f'u{n}'} for n in range(1200)])\n"
    )
    shell = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path),
        **vendors.connections(),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"],
        cwd=tmp_path,
        env=shell,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert vendors.ptengine.counts.requests == 0
