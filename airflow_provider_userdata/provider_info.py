"""What Airflow is told of this provider."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import __version__
from airflow_provider_userdata.hooks.forms import connection_types


def get_provider_info() -> dict[str, Any]:
    """Describe the provider's connections, decorators and settings."""
    return {
        "package-name": "airflow-provider-userdata",
        "name": "User data",
        "description": "Uploads user data to Thymia, GeroSense and Ptengine, with every record accounted for.",
        "versions": [__version__],
        "connection-types": connection_types(),
        "task-decorators": [
            {"name": name, "class-name": f"airflow_provider_userdata.decorators.{module}.{name}_task"}
            for name, module in (
                ("thymia_upload", "thymia"),
                ("gerosense_samples", "gerosense"),
                ("ptengine_profiles", "ptengine"),
            )
        ],
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
                },
            },
        },
    }
