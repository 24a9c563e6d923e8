"""From Airflow's settings to a ledger."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Engine

from airflow_provider_userdata.airflow_compat import AirflowException, AirflowNotFoundException, BaseHook, conf
from airflow_provider_userdata.delivery.journal import PRIVATE_FILE, make_private_folder
from airflow_provider_userdata.errors import ArgumentError, LedgerBusyError, LedgerError
from airflow_provider_userdata.ledger import KEY_SIZE, LEASE, SqlLedger, Stream
from airflow_provider_userdata.ledger.database import ENGINE_OPTIONS, SQLITE_OPTIONS
from airflow_provider_userdata.operators.settings import SECTION, setting


def ledger_database() -> tuple[Engine | URL, str]:
    """Give the ledger's database, by Airflow's setting `[userdata] ledger_conn_id`, and what messages call it.

    May ask Airflow for the connection: call it from the task's main thread.

    :raises ArgumentError: if there is no such connection.
    :raises LedgerError: if it is no database that SQLAlchemy can use.
    :raises LedgerBusyError: if it can't be looked up.
    """
    conn_id = setting("ledger_conn_id")
    if conn_id is not None:
        return _engine(conn_id), f"connection {conn_id!r}"
    return URL.create("sqlite", database=str(default_file())), str(default_file())


def ledger_secret(*, begin: bool = False) -> bytes:
    """Give what the ledger's fingerprints are keyed with.

    :param begin: whether the default ledger's secret is made where it is missing.
    :raises ArgumentError: if it is too short, or one has to be set.
    :raises LedgerError: if the default ledger's secret can't be read.
    """
    secret = setting("ledger_secret")
    if secret is not None:
        if len(secret.encode()) < KEY_SIZE:
            raise ArgumentError(f"[{SECTION}] ledger_secret: has less than {KEY_SIZE} bytes, and could be guessed")
        return secret.encode()
    conn_id = setting("ledger_conn_id")
    return _derived_secret(conn_id) if conn_id else _kept_secret(_secret_file(), begin=begin)


def task_ledger(stream: Stream, *, keyed: bool, run: str, lease: float = LEASE) -> SqlLedger:
    """Make the ledger of a task, by Airflow's settings. It isn't opened yet: its `open` may be called elsewhere.

    May ask Airflow for a connection: call it from the task's main thread.

    :param stream: what its entries belong to.
    :param keyed: whether it is a stream of states.
    :param run: names the run and the task, and is the same in all attempts.
    :param lease: seconds for which a crashed run counts as having something under way.
    :raises ArgumentError: if a setting has a value that can't work, or a secret is missing.
    :raises LedgerError: if the connection can't be used, or the default ledger's folder.
    :raises LedgerBusyError: if the connection can't be looked up.
    """
    days = _retention_days()
    if setting("ledger_conn_id") is None:
        _prepare_file(default_file(), _secret_file())
    secret = ledger_secret(begin=True)
    database, place = ledger_database()
    return SqlLedger(
        database, stream, keyed=keyed, run=run, secret=secret, retention_days=days, place=place, lease=lease
    )


def default_file() -> Path:
    """Give the path of the ledger that is used where no connection is named."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute()
    return home / "userdata" / "ledger.db"


def _secret_file() -> Path:
    return default_file().with_suffix(".secret")


def _retention_days() -> int | None:
    value = setting("ledger_retention_days")
    if value is None:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 36_500:
        raise ArgumentError(f"[{SECTION}] ledger_retention_days: must be a whole number of days from 1, not {value!r}")
    return int(value)


def _engine(conn_id: str) -> Engine:
    where = f"[{SECTION}] ledger_conn_id: connection {conn_id!r}"
    try:
        connection: Any = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ArgumentError(f"{where} is not there") from None
    except Exception as error:  # noqa: BLE001  # whatever a secrets backend raises
        raise LedgerBusyError(f"{where} can't be looked up: {type(error).__name__}") from None
    try:
        hook: Any = connection.get_hook()
        hook._connection = connection  # or it asks Airflow again, from whatever thread connects
        return _engine_of(hook, connection)
    except Exception as error:  # noqa: BLE001  # whatever a hook raises
        # Only the type: the message of a database's client may hold the address, and the password in it.
        raise LedgerError(
            f"{where}, of type {connection.conn_type!r}, gives no database that SQLAlchemy can use "
            f"({type(error).__name__}): name one of type sqlite, postgres or mysql, and install its provider"
        ) from None


def _engine_of(hook: Any, connection: Any) -> Engine:
    options = dict(SQLITE_OPTIONS if connection.conn_type == "sqlite" else ENGINE_OPTIONS)
    if connection.conn_type == "postgres":
        options["creator"] = hook.get_conn  # the engine's own address leaves out what the extra says, such as sslmode
    engine = hook.get_sqlalchemy_engine(engine_kwargs=options)
    if not isinstance(engine, Engine):
        raise AirflowException("no engine")
    return engine


def _prepare_file(file: Path, secret: Path) -> None:
    """Make the default ledger's file. The secret beside it is made later: where it is there, the ledger was, too."""
    if secret.exists() and not file.exists():
        raise LedgerError(
            f"the ledger {file} is missing: put it back, or begin anew by removing {secret.name} beside it, and all is "
            "sent again"
        )
    try:
        make_private_folder(file.parent)
        file.touch(mode=PRIVATE_FILE)
    except OSError as error:
        raise LedgerError(f"the ledger {file} can't be made: {error.strerror}") from None


def _kept_secret(path: Path, *, begin: bool) -> bytes:
    """Give the secret beside the default ledger; the first run makes it, and of two first runs one."""
    try:
        if begin and not path.exists():
            part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            part.touch(mode=PRIVATE_FILE)
            part.write_text(secrets.token_hex(32), "ascii")
            try:
                path.hardlink_to(part)  # whole or not at all, and never over another's
            except FileExistsError:
                pass
            finally:
                part.unlink()
        kept = path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise LedgerError(
            f"the ledger's secret {path} can't be read: {type(error).__name__}; without it nothing in the ledger can "
            f"be found: put it back, or set [{SECTION}] ledger_secret"
        ) from None
    if len(kept) < KEY_SIZE:
        raise LedgerError(
            f"the ledger's secret {path} is cut off: put it back, or remove it and the ledger (all is sent again)"
        )
    return kept.encode()


def _derived_secret(conn_id: str) -> bytes:
    """Give a secret for a ledger that many machines share: of Airflow's own, which they share too."""
    own = (conf.get("core", "fernet_key", fallback=None) or "").split(",")[-1].strip()
    if not own:
        raise ArgumentError(
            f"[{SECTION}] ledger_secret: is needed for the ledger in connection {conn_id!r}, for there is no "
            "[core] fernet_key to make one of: set it to a random text, the same on all workers"
        )
    return hashlib.blake2b(own.encode(), digest_size=32, person=b"userdata-ledger").digest()
