"""Opens the ledger that Airflow's settings name.

May ask Airflow for a connection: call it from the task's main thread. All raise an `ArgumentError` if a setting can't
work, a `LedgerError` if the ledger or its secret can't be used or is gone, and a `LedgerBusyError` if a retry may help.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

from sqlalchemy.engine import URL, Engine

from airflow_provider_userdata.airflow_compat import AirflowNotFoundException, BaseHook, conf
from airflow_provider_userdata.errors import ArgumentError, LedgerBusyError, LedgerError
from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger import (
    LEASE,
    AdoptingLedger,
    Found,
    SqlLedger,
    Stream,
    beginning,
    engine_options,
)
from airflow_provider_userdata.operators import ledger_files
from airflow_provider_userdata.settings import SECTION, setting

Kind = TypeVar("Kind", bound=SqlLedger)
_SHORT_LEASE = 60.0
"""Seconds: nothing is in flight while a finished run's deliveries are entered."""
LONGEST_STREAM = 200
"""Characters of a ledger stream's name."""


def ledger_database() -> tuple[Engine | URL, str]:
    """Return the database that the setting `[userdata] ledger_conn_id` names, and its name in messages."""
    conn_id = setting("ledger_conn_id")
    if conn_id is not None:
        return _engine(conn_id), f"connection {conn_id!r}"
    file = str(ledger_files.default_file())
    return URL.create("sqlite", database=file), file


def ledger_secret(*, begin: bool = False) -> bytes:
    """Return the key of the ledger's fingerprints.

    :param begin: whether to create the default ledger's secret if it is missing.
    """
    secret, conn_id = setting("ledger_secret"), setting("ledger_conn_id")
    if secret is None:
        return _derived_secret(conn_id) if conn_id else ledger_files.kept_secret(begin=begin)
    if len(secret.encode()) < KEY_SIZE:
        raise ArgumentError(f"[{SECTION}] ledger_secret: has less than {KEY_SIZE} bytes, and could be guessed")
    return secret.encode()


def task_ledger(stream: Stream, *, keyed: bool, run: str, lease: float = LEASE) -> SqlLedger:
    """Return the ledger of a task, by Airflow's settings. It isn't opened yet: `open` may be called in another thread.

    :param stream: the stream that its entries belong to.
    :param keyed: whether it is a stream of states.
    :param run: identifies the run and the task; the same in all attempts.
    :param lease: seconds for which records of a crashed run count as in flight.
    """
    return _ledger(SqlLedger, stream, keyed=keyed, run=run, lease=lease)


def adopting_ledger(stream: Stream, *, keyed: bool, run: str) -> AdoptingLedger:
    """Return the ledger of a task, to enter what a finished run delivered.

    :param stream: the stream that its entries belong to.
    :param keyed: whether it is a stream of states.
    :param run: identifies the run and the task.
    """
    return _ledger(AdoptingLedger, stream, keyed=keyed, run=run, lease=_SHORT_LEASE)


def _ledger(kind: type[Kind], stream: Stream, *, keyed: bool, run: str, lease: float) -> Kind:
    days = _retention_days()
    if setting("ledger_conn_id") is None:
        ledger_files.prepare()
    secret = ledger_secret(begin=True)
    database, place = ledger_database()
    return kind(
        database,
        stream,
        keyed=keyed,
        run=run,
        secret=secret,
        retention_days=days,
        place=place,
        lease=lease,
        witness=ledger_files.witness_file(),
    )


def find_ledger() -> Found | None:
    """Return the state of the ledger before `begin_ledger`; None if there has been no ledger yet."""
    if setting("ledger_conn_id") is None:
        missing = ledger_files.is_missing()
        if missing is None:
            return None
        if missing or not ledger_files.has_secret():
            return Found.LOST
    return beginning.find(*ledger_database(), ledger_secret(), ledger_files.witness_file())


def begin_ledger(*, keep: bool) -> None:
    """Begin a new ledger on request, where Airflow's settings name it.

    :param keep: whether an existing ledger is kept and used; otherwise its entries are deleted.
    """
    if setting("ledger_conn_id") is None:
        ledger_files.renew()
    beginning.begin(*ledger_database(), ledger_secret(), ledger_files.witness_file(), keep=keep)


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
        raise ArgumentError(f"{where} is not defined") from None
    except Exception as error:  # noqa: BLE001  # whatever a secrets backend raises
        raise LedgerBusyError(f"{where} can't be looked up: {type(error).__name__}") from None
    try:
        hook: Any = connection.get_hook()
        hook._connection = connection  # else it asks Airflow again, from the thread that connects
        options = engine_options(connection.conn_type)
        if connection.conn_type == "postgres":
            options["creator"] = hook.get_conn  # the engine's own URL ignores the extra, such as sslmode
        engine: Engine = hook.get_sqlalchemy_engine(engine_kwargs=options)
    except Exception as error:  # noqa: BLE001  # whatever a hook raises
        # Only the type: the message of a database's client may hold the address, and the password in it.
        raise LedgerError(
            f"{where}, of type {connection.conn_type!r}, is not a database that SQLAlchemy can use "
            f"({type(error).__name__}): name one of type sqlite, postgres or mysql, and install its provider"
        ) from None
    return engine


def _derived_secret(conn_id: str) -> bytes:
    """Return a secret derived from Airflow's Fernet key: machines that share a ledger share that key too."""
    own = (conf.get("core", "fernet_key", fallback=None) or "").split(",")[-1].strip()
    if not own:
        raise ArgumentError(
            f"[{SECTION}] ledger_secret: is needed for the ledger in connection {conn_id!r}, because there is no "
            "[core] fernet_key to derive it from: set it to a random text, the same on all workers"
        )
    return hashlib.blake2b(own.encode(), digest_size=32, person=b"userdata-ledger").digest()
