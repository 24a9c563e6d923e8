"""A ledger that was emptied or replaced isn't taken for a new one; a new one is begun by a command."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection

from airflow_provider_userdata.errors import LedgerBusyError, LedgerError
from airflow_provider_userdata.ledger import SqlLedger, beginning
from airflow_provider_userdata.ledger.admin import open_admin
from airflow_provider_userdata.ledger.beginning import Found
from airflow_provider_userdata.ledger.schema import ENTRIES, META, STREAMS, TABLES

NewLedger = Callable[..., SqlLedger]
Keys = Callable[..., bytes]
Emptying = Callable[[Connection], None]


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    """Return the path of the witness of this machine."""
    return tmp_path / "below" / "ledger.identity"


@pytest.fixture
def change(database: str) -> Callable[[Emptying], None]:
    """Do something to the database: ``change(lambda connection: ...)``."""

    def do(change: Emptying) -> None:
        engine = create_engine(database)
        with engine.begin() as connection:
            change(connection)
        engine.dispose()

    return do


def rows_gone(*tables: Any) -> Emptying:
    """Delete the rows of tables."""

    def empty(connection: Connection) -> None:
        for table in tables:
            connection.execute(table.delete())

    return empty


def tables_gone(*tables: Any) -> Emptying:
    """Drop tables."""

    def drop(connection: Connection) -> None:
        for table in tables:
            table.drop(connection)

    return drop


def filled(new_ledger: NewLedger, keys: Keys, *, keyed: bool = False, **options: Any) -> None:
    """Let a run enter something."""
    ledger = new_ledger(keyed=keyed, **options)
    prints = keys("x") if keyed else b""
    ledger.sift(keys("a"), prints)
    ledger.mark_delivered(keys("a"), prints)
    ledger.close()


EMPTIED: dict[str, Emptying] = {
    **{f"rows of {table.name}": rows_gone(table) for table in (META, STREAMS, ENTRIES)},
    **{f"table {table.name}": tables_gone(table) for table in TABLES.sorted_tables},
    "all rows": rows_gone(*TABLES.sorted_tables),
    "entries and streams": rows_gone(ENTRIES, STREAMS),
}


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("how", EMPTIED)
def test_an_emptied_ledger_is_told_from_a_new_one(
    how: str, keyed: bool, new_ledger: NewLedger, keys: Keys, change: Callable[[Emptying], None], database: str
) -> None:
    """Whichever of its tables it was, on any machine; and a command says the same."""
    filled(new_ledger, keys, keyed=keyed)
    change(EMPTIED[how])
    if how != f"table {META.name}":  # without a trace, only a witness knows
        with pytest.raises(LedgerError, match=r"emptied|is empty, though"):
            new_ledger(keyed=keyed)
        with pytest.raises(LedgerError, match=r"emptied|version 0"), open_admin(database):
            pass


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("tables", [(STREAMS,), TABLES.sorted_tables])
def test_a_ledger_that_is_emptied_under_a_run_stops_it(
    tables: tuple[Any, ...], keyed: bool, new_ledger: NewLedger, keys: Keys, change: Callable[[Emptying], None]
) -> None:
    """At the next look-up, not after all was sent again; and the retry says what is wrong."""
    ledger = new_ledger(keyed=keyed)
    change(rows_gone(*tables))
    for beginnings in ([], [keys("a")[:4]]):
        with pytest.raises(LedgerBusyError, match="emptied"):
            ledger.sift(keys("a"), keys("x") if keyed else b"", beginnings)
    with pytest.raises(LedgerError, match=r"emptied|is empty, though"):
        new_ledger(keyed=keyed)


@pytest.mark.parametrize("how", ["no tables", f"table {META.name}", "another ledger"])
def test_a_ledger_without_a_trace_is_known_by_its_witness(
    how: str, new_ledger: NewLedger, change: Callable[[Emptying], None], witness: Path, secret: bytes
) -> None:
    """An empty database, or another ledger, where tasks of this machine have used one before."""

    def replace(connection: Connection) -> None:
        if how.startswith("table"):
            META.drop(connection)
            return
        TABLES.drop_all(connection)

    new_ledger(witness=witness).close()
    before = witness.read_text()
    change(replace)
    if how == "another ledger":
        new_ledger().close()
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"is empty, though|isn't the one"):
            new_ledger(witness=witness)
    assert witness.read_text() == before
    assert stat.S_IMODE(witness.stat().st_mode) == 0o600


def test_a_first_run_needs_no_witness(new_ledger: NewLedger, keys: Keys, witness: Path, tmp_path: Path) -> None:
    """It makes one; so does the first run on another machine, and where none can be written, all works without."""
    for path in (witness, tmp_path / "other machine.identity"):
        new_ledger(witness=path).close()
    assert witness.read_text() == (tmp_path / "other machine.identity").read_text()
    (tmp_path / "file").touch()
    nowhere = new_ledger(witness=tmp_path / "file" / "ledger.identity")
    nowhere.mark_delivered(keys("a"))
    assert nowhere.sift(keys("a")) == []
    witness.write_text("cut of")
    new_ledger(witness=witness)
    assert len(witness.read_text()) == 33


def test_what_is_forgotten_or_expires_is_not_emptied(
    new_ledger: NewLedger, keys: Keys, clock: Any, database: str, witness: Path
) -> None:
    """A ledger may well hold no entries: its own row stays."""
    ledger = new_ledger(witness=witness)
    ledger.mark_delivered(keys("a"))
    ledger.close()
    clock.pass_days(50)
    new_ledger(witness=witness, retention_days=3).close()
    with open_admin(database) as admin:
        (stream,) = admin.streams()
        assert stream.entries == 0
        admin.forget_stream(stream.id)
        assert admin.streams() == []
    assert new_ledger(witness=witness).sift(keys("a")) == [0]


def test_a_ledger_of_an_earlier_release_gets_its_marks(
    database: str, new_ledger: NewLedger, change: Callable[[Emptying], None], witness: Path, keys: Keys, secret: bytes
) -> None:
    """By the first task that opens it; from then on it is known."""
    filled(new_ledger, keys)

    def forget_marks(connection: Connection) -> None:
        connection.execute(META.delete().where(META.c.name.notin_(["version", "secret"])))

    change(forget_marks)
    new_ledger(witness=witness).close()
    change(rows_gone(ENTRIES))
    with pytest.raises(LedgerError, match="emptied"):
        new_ledger(witness=witness)


@pytest.mark.parametrize("how", [*EMPTIED, "no tables"])
def test_a_new_ledger_is_begun_on_purpose(
    how: str,
    database: str,
    new_ledger: NewLedger,
    change: Callable[[Emptying], None],
    witness: Path,
    tmp_path: Path,
    secret: bytes,
    keys: Keys,
) -> None:
    """All is forgotten, and all machines take the new one; no stream gets the number of one before."""
    ledger = new_ledger(witness=witness)
    ledger.mark_delivered(keys("a"))
    ledger.close()
    other = tmp_path / "other machine.identity"
    other.write_text(witness.read_text())
    assert beginning.find(database, "here", secret, witness) is Found.WHOLE
    change(EMPTIED.get(how, TABLES.drop_all))
    assert beginning.find(database, "here", secret, witness) is Found.LOST
    beginning.begin(database, "here", secret, witness, keep=False)
    assert beginning.find(database, "here", secret, witness) is Found.WHOLE
    for path in (witness, other):
        ledger = new_ledger(witness=path)
        assert ledger.sift(keys("a")) == [0]
        ledger.close()
    assert witness.read_text() == other.read_text()
    filled(new_ledger, keys, witness=witness)
    change(rows_gone(STREAMS))
    with pytest.raises(LedgerError, match="emptied"):
        new_ledger(witness=witness)


def test_another_ledger_is_taken_as_it_is(
    new_database: Callable[[], str], new_ledger: NewLedger, keys: Keys, witness: Path, secret: bytes, tmp_path: Path
) -> None:
    """Nothing in it is forgotten."""
    new_ledger(witness=witness).close()
    url = new_database()
    other = new_ledger(database=url)
    other.mark_delivered(keys("a"))
    other.close()
    assert beginning.find(url, "there", secret, witness) is Found.ANOTHER
    beginning.begin(url, "there", secret, witness, keep=True)
    assert new_ledger(database=url, witness=witness).sift(keys("a")) == []


def test_a_new_beginning_with_another_secret(
    database: str, new_ledger: NewLedger, witness: Path, secret: bytes, keys: Keys
) -> None:
    """By which nothing in the old one can be found."""
    new_ledger(witness=witness).close()
    new = b"a secret that is another"
    assert beginning.find(database, "here", new, witness) is Found.LOST
    beginning.begin(database, "here", new, witness, keep=False)
    assert new_ledger(witness=witness, secret=new).sift(keys("a")) == [0]
    with pytest.raises(LedgerError, match="another secret"):
        new_ledger(witness=witness)
