"""Assets for what a vendor holds: `userdata://<connection>/<kind>`, such as `userdata://gerosense_default/steps`.

Airflow calls these functions, as provider_info.py names them; it imports this file when a DAG file makes such an asset.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

SCHEME = "userdata"


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Check an asset's URI.

    :raises ValueError: if it doesn't name a connection, and at most a kind of records.
    """
    if not uri.netloc or "@" in uri.netloc or ":" in uri.netloc:
        raise ValueError(
            "an asset userdata://… begins with the id of a connection, such as userdata://thymia_default/mood"
        )
    if "/" in uri.path.strip("/") or uri.query:
        raise ValueError(
            "an asset userdata://… ends with a kind of records, such as userdata://gerosense_default/steps"
        )
    return uri


def create_asset(*, conn_id: str, kind: str = "", extra: dict[str, Any] | None = None) -> Any:
    """Return the asset of a connection's records of a kind.

    :param kind: the upload type or data type; empty if the vendor has one only.
    """
    from airflow_provider_userdata.airflow_compat import Asset

    return Asset(uri=f"{SCHEME}://{conn_id}/{quote(kind, safe='')}", extra=extra)


def convert_asset_to_openlineage(asset: Any, lineage_context: Any) -> Any:  # noqa: ARG001  # Airflow passes it
    """Return the dataset that the operators name as their output; None if the connection can't be used."""
    from openlineage.client.event_v2 import Dataset

    from airflow_provider_userdata.airflow_compat import BaseHook
    from airflow_provider_userdata.hooks.base import VendorHook
    from airflow_provider_userdata.operators.lineage import output_name

    uri = urlsplit(asset.uri)
    hook = BaseHook.get_connection(uri.netloc).get_hook()  # type: ignore[no-untyped-call]
    name = output_name(hook, unquote(uri.path.strip("/"))) if isinstance(hook, VendorHook) else None
    return None if name is None else Dataset(*name)
