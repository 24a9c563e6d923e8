"""The provider's metadata, which Airflow reads at every start."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import __version__, registry
from airflow_provider_userdata.hooks.forms import connection_type


def _option(description: str, example: str | None, kind: str = "string", **more: Any) -> dict[str, Any]:
    option = {"description": description, "version_added": "0.1.0", "type": kind, "example": example, "default": None}
    return {**option, **more}


_OPTIONS = {
    "output_path": _option(
        "Where receipts, rejects and held records are written: a folder, or a path in an object store. "
        "An operator's own `output_path` overrides it. Default: `userdata` in AIRFLOW_HOME.",
        "s3://aws_default@bucket/userdata",
    ),
    "ledger_conn_id": _option(
        "The connection to the database of the ledger, which remembers what tasks with `incremental=True` delivered. "
        "Its type is sqlite, postgres or mysql. Default: the file `userdata/ledger.db` in AIRFLOW_HOME, for "
        "installations on one machine.",
        "postgres_default",
    ),
    "ledger_retention_days": _option(
        "After how many days the ledger forgets a delivery; its record would then be sent again. Default: never.",
        "400",
        "integer",
    ),
    "ledger_secret": _option(
        "The key for the ledger's fingerprints: a random text of at least 16 characters, the same on all workers; "
        "it must never change. Default: for the default file, a key that is created and stored beside it; for a "
        "connection, a key derived from `[core] fernet_key`.",
        None,
        sensitive=True,
    ),
    "tab_on_all_tasks": _option(
        "Whether the tab `Upload` is shown in Airflow's UI before Airflow 3.4, which shows it on the tasks that upload "
        "only: before, it is on every task of every DAG. Default: false; the button `Upload` of a task leads to the "
        "same page.",
        "true",
        "boolean",
    ),
}


_ASSETS = "airflow_provider_userdata.operators.upload_asset"


def _modules(title: str, path: str) -> dict[str, Any]:
    return {"integration-name": title, "python-modules": [path.rpartition(".")[0]]}


def get_provider_info() -> dict[str, Any]:
    """Return what Airflow lists and loads of this provider."""
    return {
        "package-name": "airflow-provider-userdata",
        "name": "User data",
        "description": f"Uploads user data to {registry.titles()}, with every record accounted for.",
        "versions": [__version__],
        "integrations": [{"integration-name": vendor.title, "tags": ["service"]} for vendor in registry.VENDORS],
        "operators": [_modules(vendor.title, vendor.operator) for vendor in registry.VENDORS],
        "hooks": [_modules(vendor.title, vendor.hook) for vendor in registry.VENDORS],
        "connection-types": [connection_type(vendor.name) for vendor in registry.VENDORS],
        "task-decorators": [{"name": vendor.task, "class-name": vendor.decorator} for vendor in registry.VENDORS],
        "extra-links": ["airflow_provider_userdata.operators.links.UploadLink"],
        "asset-uris": [
            {
                "schemes": ["userdata"],
                "handler": f"{_ASSETS}.sanitize_uri",
                "factory": f"{_ASSETS}.create_asset",
                "to_openlineage_converter": f"{_ASSETS}.convert_asset_to_openlineage",
            }
        ],
        "cli": ["airflow_provider_userdata.cli.definition.get_cli_commands"],
        "config": {"userdata": {"description": "Uploads of user data.", "options": _OPTIONS}},
    }
