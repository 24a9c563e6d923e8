"""What Airflow is told of this provider."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import __version__, registry
from airflow_provider_userdata.hooks.forms import connection_types


def get_provider_info() -> dict[str, Any]:
    """Describe the provider's connections, decorators and settings."""
    return {
        "package-name": "airflow-provider-userdata",
        "name": "User data",
        "description": f"Uploads user data to {registry.titles()}, with every record accounted for.",
        "versions": [__version__],
        "connection-types": connection_types(),
        "task-decorators": [{"name": vendor.task, "class-name": vendor.decorator} for vendor in registry.VENDORS],
        "cli": ["airflow_provider_userdata.cli.definition.get_cli_commands"],
        "config": {
            "userdata": {
                "description": "Uploads of user data.",
                "options": {
                    "output_path": {
                        "description": "Where receipts, rejects and held records are written, unless an operator "
                        "says otherwise: a folder, or a path in an object store. "
                        "Default: `userdata` below AIRFLOW_HOME.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "s3://aws_default@bucket/userdata",
                        "default": None,
                    },
                    "ledger_conn_id": {
                        "description": "The connection to the database that remembers what was delivered, for tasks "
                        "with `incremental=True`: of type sqlite, postgres or mysql. "
                        "Default: the file `userdata/ledger.db` below AIRFLOW_HOME, for one machine.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "postgres_default",
                        "default": None,
                    },
                    "ledger_retention_days": {
                        "description": "After how many days a delivery is forgotten, and its record would be sent "
                        "again. Default: never.",
                        "version_added": "0.1.0",
                        "type": "integer",
                        "example": "400",
                        "default": None,
                    },
                    "ledger_secret": {
                        "description": "What the ledger's fingerprints are keyed with: a random text of at least 16 "
                        "characters, the same on all workers, and never changed. Default: for the default file one "
                        "that is made and kept beside it, for a connection one that is derived from `[core] "
                        "fernet_key`.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "sensitive": True,
                        "example": None,
                        "default": None,
                    },
                },
            },
        },
    }
