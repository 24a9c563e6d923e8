"""What Airflow finds of this provider: connection types, decorators, settings."""

from __future__ import annotations

import argparse
import importlib
import json
from importlib.metadata import version
from typing import Any

import pytest
from airflow.providers_manager import ProvidersManager

from airflow_provider_userdata.cli.definition import get_cli_commands
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.provider_info import get_provider_info

NAMES = ("thymia", "gerosense", "ptengine")


def test_the_provider_is_discovered() -> None:
    """By its entry point, under the distribution's name and with its version."""
    providers = ProvidersManager().providers  # type: ignore[no-untyped-call]
    provider = providers["airflow-provider-userdata"]
    assert provider.version == version("airflow-provider-userdata")
    assert provider.data["name"] == "User data"


def test_its_description_is_what_airflow_takes() -> None:
    """It holds to the schema that Airflow checks providers by."""
    import importlib.resources

    import jsonschema

    text = importlib.resources.files("airflow").joinpath("provider_info.schema.json").read_text()
    jsonschema.validate(get_provider_info(), json.loads(text))


@pytest.mark.airflow_3
@pytest.mark.parametrize("name", NAMES)
def test_hooks_are_found_by_connection_type(name: str) -> None:
    """Airflow imports the hook of a connection type, and makes it with the connection's id."""
    from airflow.sdk import Connection
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    found = ProvidersManagerTaskRuntime().hooks[name]  # type: ignore[no-untyped-call]
    assert found is not None
    assert found.package_name == "airflow-provider-userdata"

    hook = Connection(conn_id="x", conn_type=name).get_hook()  # type: ignore[no-untyped-call]
    assert isinstance(hook, VendorHook)
    assert hook.conn_type == name
    assert hook.conn_name_attr == found.connection_id_attribute_name == f"{name}_conn_id"


def test_decorators_are_found_by_name() -> None:
    """`task.thymia_upload` and its likes."""
    from airflow.providers.common.compat.sdk import task

    tasks: Any = task
    for name in ("thymia_upload", "gerosense_samples", "ptengine_profiles"):
        assert tasks.__getattr__(name).__name__ == f"{name}_task"


def test_the_setting_has_a_default() -> None:
    """`[userdata] output_path` is known to Airflow, and empty unless set."""
    from airflow.providers.common.compat.sdk import conf

    assert conf.get("userdata", "output_path", fallback="none") in (None, "", "none")
    assert "userdata" in get_provider_info()["config"]


def test_what_it_lists_is_there() -> None:
    """Each vendor's module of operators and of hooks, under its own name; other tools show them by it."""
    info = get_provider_info()
    titles = [one["integration-name"] for one in info["integrations"]]
    assert titles == ["Thymia", "GeroSense", "Ptengine"]
    for what, ending in (("operators", "Operator"), ("hooks", "Hook")):
        assert [one["integration-name"] for one in info[what]] == titles
        for one in info[what]:
            (module,) = map(importlib.import_module, one["python-modules"])
            assert [
                name
                for name in vars(module)
                if name.startswith(one["integration-name"].capitalize()) and name.endswith(ending)
            ]


@pytest.mark.airflow_3
def test_its_assets_have_functions() -> None:
    """Airflow loads all three: for an address, for a new asset, and for lineage."""
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    manager = ProvidersManagerTaskRuntime()  # type: ignore[no-untyped-call]
    for found in (manager.asset_uri_handlers, manager.asset_factories, manager.asset_to_openlineage_converters):
        assert found["userdata"].__module__ == "airflow_provider_userdata.operators.upload_asset"


def test_airflow_takes_our_options_by_their_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped `--field` isn't silently `--fields`, with Airflow's own parser either."""
    (group,) = get_cli_commands()
    (check,) = (one for one in group.subcommands if one.name == "check")
    parser = argparse.ArgumentParser()
    for one in check.args:
        one.add_to_parser(parser)

    assert parser.parse_args(["x.csv", "--vendor", "ptengine", "--fields", "a"]).fields == "a"
    with pytest.raises(SystemExit):
        parser.parse_args(["x.csv", "--vendor", "ptengine", "--field", "a"])
    assert "unrecognized arguments: --field a" in capsys.readouterr().err
