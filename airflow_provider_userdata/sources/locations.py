"""Where only Airflow knows the way: object stores and its connections to databases.

The one file here that imports Airflow, and only when a source asks for it: the import takes seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from airflow_provider_userdata.errors import SourceBrokeError, SourceError


def storage_path(text: str) -> Path:
    """Make a path in an object store; it behaves like a `Path` in all that is used here.

    :param text: the path, with its scheme.
    """
    from airflow_provider_userdata.airflow_compat import ObjectStoragePath

    return cast("Path", ObjectStoragePath(text))


def database_hook(conn_id: str) -> Any:
    """Find the hook of a connection to a database.

    Asks Airflow for the connection: call it from the task's main thread.

    :param conn_id: the connection's id.
    """
    from airflow_provider_userdata.airflow_compat import AirflowException, AirflowNotFoundException, BaseHook

    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise SourceError(f"source: there is no connection {conn_id!r}") from None
    except Exception as error:
        raise SourceBrokeError(f"source: connection {conn_id!r} can't be looked up: {type(error).__name__}") from error
    try:
        hook: Any = connection.get_hook()  # type: ignore[no-untyped-call]
    except (AirflowException, ImportError) as error:
        raise SourceError(
            f"source: connection {conn_id!r} is of type {connection.conn_type!r}, which has no hook here; "
            "is its provider installed?"
        ) from error
    if not hasattr(hook, "get_cursor"):
        raise SourceError(f"source: connection {conn_id!r} is of type {connection.conn_type!r}, which is no database")
    _remember(hook, conn_id, connection)
    return hook


def _remember(hook: Any, conn_id: str, connection: Any) -> None:
    # `get_conn` runs where the cursor is read, and most hooks look their connection up there again. That call to
    # Airflow would meet others of the same task from another thread, which Airflow doesn't stand everywhere.
    look_up = hook.get_connection
    hook.get_connection = lambda wanted: connection if wanted == conn_id else look_up(wanted)
