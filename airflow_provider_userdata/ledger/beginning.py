"""Begins a new ledger on request, in place of one that was emptied, was replaced, or has lost its secret."""

from __future__ import annotations

import enum
from pathlib import Path

from sqlalchemy.engine import URL, Engine

from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger.database import Database
from airflow_provider_userdata.ledger.identity import (
    Witness,
    check_same,
    check_secret,
    check_whole,
    enter_secret,
    identify,
    say_deliberate,
)
from airflow_provider_userdata.ledger.schema import empty


class Found(enum.Enum):
    """What is at the ledger's place before a new one begins."""

    WHOLE = "whole"
    """The ledger that was used before, or the first one on this machine."""
    ANOTHER = "another"
    """A usable ledger, but not the one that was used before."""
    LOST = "lost"
    """No ledger, or one that can't be used."""


def find(database: Engine | URL | str, place: str, secret: bytes, witness: Path) -> Found:
    """Return what is there, without changing it.

    :param place: what messages call the ledger.
    :param witness: the file on this machine that names the ledger that was used last.
    :raises LedgerError: if the place can't be used.
    :raises LedgerBusyError: if it is locked, or can't be reached.
    """
    with Database(database, place).connected() as ledger, ledger.reading() as connection:
        try:
            check_whole(connection, place)
            check_secret(connection, place, Fingerprints(secret))
        except LedgerError:
            return Found.LOST
        try:
            check_same(connection, place, Witness(witness).seen())
        except LedgerError:
            return Found.ANOTHER
        return Found.WHOLE


def begin(database: Engine | URL | str, place: str, secret: bytes, witness: Path, *, keep: bool) -> None:
    """Begin a ledger on purpose: tasks accept it in place of the one before.

    :param keep: whether to keep the entries that are there; else they are forgotten.
    :raises LedgerError: if a newer version of this package made it, or the place can't be used.
    :raises LedgerBusyError: if it is locked, or can't be reached.
    """
    with Database(database, place).connected() as ledger:
        with ledger.writing() as connection:
            ledger.entries.lock_opening(connection)
            if not keep:
                empty(connection, place)
                enter_secret(connection, Fingerprints(secret))
            identity = identify(connection)
            say_deliberate(connection)
        with ledger.reading() as connection:
            ledger.entries.unlock_opening(connection)
        Witness(witness).note(identity)
