"""What only Airflow can look up: paths in object stores, and connections to databases.

The only file here that imports Airflow, and only when a source needs it: the import takes seconds.
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
"""Maps a scheme to the package with its file system."""
_SECRET = re.compile(r"(?<=://)[^/@]*:[^/@]*@|\?.*", re.DOTALL)


def storage_path(text: str) -> Path:
    """Return a path in an object store from its text; it has all methods of `Path` that are used here."""
    from airflow_provider_userdata.airflow_compat import ObjectStoragePath

    return cast("Path", ObjectStoragePath(text))


def output_folder() -> str:
    """Return the folder or path below which tasks write, as Airflow's settings say."""
    from airflow_provider_userdata.settings import home, setting

    return setting("output_path") or str(home())


def local_part(path: Path) -> Path:
    """Return a `file://` path as a plain local path, and any other path unchanged."""
    return Path(cast("Any", path).path) if getattr(path, "protocol", None) in ("file", "local") else path


def store_of(path: Path) -> Any:
    """Return the file system of a path in an object store, with the connection that Airflow has for it.

    In some versions of Airflow, a path's own `exists`, `is_dir` and `glob` don't use that connection.

    :raises ValueError: if Airflow has no such file system.
    """
    return cast("Any", path).fs


def exists(path: Path) -> bool:
    """Return whether a path exists, on this machine or in an object store."""
    return path.exists() if is_local(path) else bool(store_of(path).exists(cast("Any", path).path))


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, on this machine or in an object store."""
    return path.is_dir() if is_local(path) else bool(store_of(path).isdir(cast("Any", path).path))


def no_store(name: str, error: Exception) -> SourceError:
    """Return the error for a path whose file system Airflow doesn't have, naming the package that has it."""
    scheme = name.partition("://")[0].lower()
    if scheme in ("http", "https"):
        todo = "Airflow can't read files at web addresses; download it in an earlier task, or yield its rows"
    elif scheme in _PROVIDERS:
        todo = f"is `{_PROVIDERS[scheme]}` installed?"
    else:
        todo = "is the provider of its file system installed?"
    # A web address may contain a password or a signature: they are not shown.
    public = _SECRET.sub("", name) if scheme in ("http", "https") else name
    return SourceError(f"source: {public!r} can't be opened: {type(error).__name__}; {todo}")


def database_hook(conn_id: str) -> Any:
    """Return the hook of a connection to a database. Asks Airflow for it: call it from the task's main thread."""
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
        raise SourceError(f"source: connection {conn_id!r} is of type {connection.conn_type!r}, not a database")
    _cache_connection(hook, conn_id, connection)
    return hook


def _cache_connection(hook: Any, conn_id: str, connection: Any) -> None:
    # `get_conn` runs in the thread that reads the cursor, and most hooks look up their connection again there. Some
    # versions of Airflow don't allow that while another thread of the same task calls Airflow.
    look_up = hook.get_connection
    hook.get_connection = lambda wanted: connection if wanted == conn_id else look_up(wanted)
