"""What must work on every Airflow, beside every set of packages that the bounds in pyproject.toml allow.

`make test-matrix` runs this file on each; it imports nothing that some Airflow lacks.
"""

# mypy: disable-error-code=untyped-decorator

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata import airflow_compat
from airflow_provider_userdata.airflow_compat import ProvidersManager, find
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ledger_settings import ledger_secret
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import SqlSource
from airflow_provider_userdata.ui import support

Records = Callable[[int], list[dict[str, Any]]]
NAMES = ("thymia", "gerosense", "ptengine")
task: Any = find("task", ("airflow.sdk", "airflow.decorators"))


@pytest.mark.parametrize("name", airflow_compat._PLACES)
def test_every_name_of_airflows_is_found(name: str) -> None:
    """Beside whatever version of `common.compat` there is, and without it."""
    assert getattr(airflow_compat, name) is not None
    assert find(name, airflow_compat._PLACES[name]) is not None


def test_a_name_that_no_airflow_has() -> None:
    """Is said with where it was looked for, and with what went wrong at the last of these places."""
    with pytest.raises(ImportError, match=r"Nonesuch in none of airflow, airflow\.nowhere: .* runs on 2\.11") as raised:
        find("Nonesuch", ("airflow", "airflow.nowhere"))
    assert "airflow.nowhere" in str(raised.value.__cause__)
    with pytest.raises(AttributeError, match="Nonesuch"):
        _ = airflow_compat.Nonesuch  # type: ignore[attr-defined]


def test_the_plugin_for_the_ui_loads(caplog: pytest.LogCaptureFixture) -> None:
    """Without an error; it offers something only where Airflow has pages of plugins, and so do the operators."""
    manager: Any = importlib.import_module("airflow.plugins_manager")
    manager.ensure_plugins_loaded()
    plugins, errors = (
        manager._get_plugins() if hasattr(manager, "_get_plugins") else (manager.plugins, manager.import_errors)
    )
    (plugin,) = (plugin for plugin in plugins if plugin.name == "userdata")
    # A build leaves the package's metadata in a checkout, where Airflow finds the plugin once more.
    assert not [error for error in errors.values() if "already registered" not in error]
    assert bool(plugin.fastapi_apps) is support.has_pages()
    assert "can't be shown" not in caplog.text
    for operator in (ThymiaUploadOperator, GerosenseSamplesOperator, PtengineProfilesOperator):
        assert [link.name for link in operator.operator_extra_links] == (["Upload"] if support.has_pages() else [])


def test_a_task_that_never_holds_records_logs_no_error(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, samples: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither its first run nor a later one, though each asks whether an earlier one held any."""
    with new_dag() as dag:
        GerosenseSamplesOperator(task_id="upload", data_type="steps", source=samples(4))
    said = ""
    for _ in range(2):
        assert run_dag(dag).state == "success"
        said += "".join(capfd.readouterr())
    assert "Uploads 4 records to GeroSense (steps)" in said
    assert "XCom not found" not in said
    assert not re.search(r"\[error|\bERROR\b", said)


def test_the_three_operators_deliver(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, samples: Records, people: Records
) -> None:
    """One delivery each, with its report."""
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="moods", upload_type="mood", source=moods(3))
        GerosenseSamplesOperator(task_id="steps", data_type="steps", source=samples(4))
        PtengineProfilesOperator(task_id="profiles", source=people(5))
    run = run_dag(dag)
    assert run.state == "success"
    assert [run.xcom(task_id)["delivered"] for task_id in ("moods", "steps", "profiles")] == [3, 4, 5]
    assert (sandbox.thymia.counts.records, sandbox.gerosense.counts.records) == (3, 4)
    assert sandbox.ptengine.arrived() == people(5)


def test_the_three_decorators_deliver(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records, samples: Records, people: Records
) -> None:
    """Found by Airflow under their names, with arguments from the context, from upstream and of their own."""

    @task.thymia_upload(upload_type="mood")
    def moods_of_the_day(ti: Any) -> list[dict[str, Any]]:
        assert ti.task_id == "moods_of_the_day"
        return moods(2)

    @task.gerosense_samples(data_type="steps")
    def steps(count: int) -> Iterator[dict[str, Any]]:
        yield from samples(count)

    @task.ptengine_profiles
    def profiles(count: int) -> list[dict[str, Any]]:
        return people(count)

    @task
    def how_many() -> int:
        return 4

    with new_dag() as dag:
        moods_of_the_day()
        steps(how_many())
        profiles(count=5)
    run = run_dag(dag)
    assert run.state == "success"
    assert (sandbox.thymia.counts.records, sandbox.gerosense.counts.records) == (2, 4)
    assert sandbox.ptengine.arrived() == people(5)
    assert run.xcom("steps")["delivered"] == 4


def test_a_mapped_operator_delivers_what_a_task_returned(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """Each list by a task of its own."""

    @task
    def extract() -> list[list[dict[str, str]]]:
        return [[{"user_id": "a"}, {"user_id": "b"}], [{"user_id": "c"}]]

    with new_dag() as dag:
        PtengineProfilesOperator.partial(task_id="upload").expand(source=extract())
    run = run_dag(dag)
    assert run.states("upload") == ["success", "success"]
    assert sandbox.ptengine.counts.records == 3


def test_paths_of_this_machine_are_templates(new_dag: Any, run_dag: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """A `pathlib.Path` is rendered as text is: as source, in a list of them, as output path, and mapped."""
    for task_id in ("one", "several", "mapped"):
        (tmp_path / f"{task_id}.jsonl").write_text(json.dumps({"user_id": task_id}) + "\n")
    own = tmp_path / "{{ ti.task_id }}.jsonl"
    options: dict[str, Any] = {"output_path": tmp_path / "{{ ti.task_id }}"}
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="one", source=own, **options)
        PtengineProfilesOperator(task_id="several", source=[own, tmp_path / "{{ 'one' }}.jsonl"], **options)
        PtengineProfilesOperator.partial(task_id="mapped", **options).expand(source=[own, [own]])
    run = run_dag(dag)
    assert run.state == "success"
    assert [run.xcom(task_id)["delivered"] for task_id in ("one", "several")] == [1, 2]
    assert sandbox.ptengine.counts.records == 5
    for task_id in ("one", "several", "mapped"):
        assert list((tmp_path / task_id).rglob("receipts-*.jsonl"))


def test_an_attempt_after_a_failure_goes_on(new_dag: Any, run_dag: Any, sandbox: Sandbox, moods: Records) -> None:
    """The vendor is down at the fifth record: the retry sends the rest, and nothing twice."""
    sandbox.thymia.script("ok x4", "503")
    with new_dag() as dag:
        ThymiaUploadOperator(
            task_id="upload",
            upload_type="mood",
            source=moods(9),
            max_in_flight=1,
            max_attempts=1,
            retries=2,
            retry_delay=timedelta(0),
        )
    run = run_dag(dag)
    assert (run.states("upload"), run.tries("upload")) == (["success"], [2])
    counts = sandbox.thymia.counts
    assert (counts.records, counts.distinct, counts.requests) == (9, 9, 10)
    assert run.xcom("upload")["delivered"] == 9


def test_what_a_ledger_knows_is_not_sent_again(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, people: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An incremental task's second run, from a database."""
    for name in ("ledgers", "customers"):
        connection = {"conn_type": "sqlite", "host": str(tmp_path / f"{name}.db")}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_CONN_ID", "ledgers")
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")
    query = SqlSource("SELECT 'a' AS user_id, 'free' AS plan UNION SELECT 'b', 'plus' ORDER BY 1", "customers")
    for name, unchanged in (("_first", 0), ("_second", 2)):
        with new_dag(name) as dag:
            PtengineProfilesOperator(task_id="upload", source=query, incremental=True)
        run = run_dag(dag)
        assert run.state == "success"
        assert run.xcom("upload")["unchanged"] == unchanged
    assert sandbox.ptengine.counts.records == 2


def test_the_form_names_a_connections_fields() -> None:
    """The password is called what the vendor calls it."""
    # Before the tests that load a hook: 3.1 finds no field of one that was loaded before.
    if not version("apache-airflow").startswith("2."):
        from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

        forms = {str(form.connection_type): form.model_dump() for form in HookMetaService.hook_meta_data()}
        if not any(form["standard_fields"] for form in forms.values()):
            pytest.skip("Airflow 3.0 and 3.1.0 show nobody's fields where Flask-AppBuilder isn't installed")
        called = [forms[name]["standard_fields"]["password"]["title"] for name in NAMES]
    else:
        behaviours = ProvidersManager().field_behaviours  # type: ignore[no-untyped-call]
        called = [behaviours[name]["relabeling"]["password"] for name in NAMES]
    assert called == ["API activation key", "Bearer token", "API key"]


def test_the_provider_is_registered() -> None:
    """With its connection types, their forms and their hooks, under its version."""
    providers = ProvidersManager()  # type: ignore[no-untyped-call]
    provider = providers.providers["airflow-provider-userdata"]
    assert provider.version == version("airflow-provider-userdata")
    for name in NAMES:
        hook = providers.hooks[name]
        assert hook is not None
        assert hook.connection_type == name
        assert hook.package_name == "airflow-provider-userdata"


def test_a_connection_makes_its_hook_and_can_be_tested(sandbox: Sandbox) -> None:
    """`get_hook()` finds the class by the type; *Test* reaches the vendor."""
    hook = airflow_compat.BaseHook.get_connection("thymia_default").get_hook()  # type: ignore[no-untyped-call]
    assert hook.conn_type == "thymia"
    worked, said = hook.test_connection()
    assert worked, said


def test_a_sensitive_setting_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Airflow takes its own secrets."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET_CMD", "echo a secret from a command")
    assert ledger_secret() == b"a secret from a command"


def test_a_sensitive_setting_from_a_secrets_backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the name that it has there."""
    backend = """
from airflow.secrets import BaseSecretsBackend

class Vault(BaseSecretsBackend):
    def get_config(self, key):
        return f"what lies under {key}"
"""
    (tmp_path / "vault_of_this_test.py").write_text(backend)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "vault_of_this_test.Vault")
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET_SECRET", "ledgers")
    assert ledger_secret() == b"what lies under ledgers"
