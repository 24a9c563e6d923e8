"""Where only Airflow knows the way: object stores and its connections to databases.

The one file here that imports Airflow, and only when a source asks for it: the import takes seconds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.errors import SourceBrokeError, SourceError

_PROVIDERS = {
    **dict.fromkeys(("s3", "s3a", "s3n"), "apache-airflow-providers-amazon[s3fs]"),
    **dict.fromkeys(("gs", "gcs"), "apache-airflow-providers-google"),
    **dict.fromkeys(("abfs", "abfss", "adl", "az"), "apache-airflow-providers-microsoft-azure"),
}
"""Which package a scheme's file system comes with."""
_SECRET = re.compile(r"(?<=://)[^/@]*:[^/@]*@|\?.*", re.DOTALL)


def storage_path(text: str) -> Path:
    """Make a path in an object store; it behaves like a `Path` in all that is used here.

    :param text: the path, with its scheme.
    """
    from airflow_provider_userdata.airflow_compat import ObjectStoragePath

    return cast("Path", ObjectStoragePath(text))


def local_part(path: Path) -> Path:
    """Return a path on this machine that is written like one of an object store (`file://…`) as a plain one.

    :param path: a path, of this machine or of an object store.
    """
    return Path(cast("Any", path).path) if getattr(path, "protocol", None) in ("file", "local") else path


def store_of(path: Path) -> Any:
    """Return the file system of a path in an object store, with the connection that Airflow has for it.

    A path's own `exists`, `is_dir` and `glob` go by another one, without that connection, in some Airflows.

    :param path: a path in an object store.
    :raises ValueError: if Airflow has none.
    """
    return cast("Any", path).fs


def exists(path: Path) -> bool:
    """Return whether there is something at a path, wherever it is."""
    return path.exists() if is_local(path) else bool(store_of(path).exists(cast("Any", path).path))


def is_folder(path: Path) -> bool:
    """Return whether a path, wherever it is, is a folder."""
    return path.is_dir() if is_local(path) else bool(store_of(path).isdir(cast("Any", path).path))


def no_store(name: str, error: Exception) -> SourceError:
    """Make the error for a path whose file system Airflow doesn't have, and say which package has it.

    :param name: the path.
    :param error: what opening it raised.
    """
    scheme = name.partition("://")[0].lower()
    if scheme in ("http", "https"):
        todo = "Airflow reads no files at web addresses; fetch it in a task before, or yield its rows from a function"
    elif scheme in _PROVIDERS:
        todo = f"is `{_PROVIDERS[scheme]}` installed?"
    else:
        todo = "is the provider of its file system installed?"
    # Not what an address may hold beside the path: a password, or a signature.
    public = _SECRET.sub("", name) if scheme in ("http", "https") else name
    return SourceError(f"source: {public!r} can't be opened: {type(error).__name__}; {todo}")


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
