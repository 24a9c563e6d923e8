"""From Airflow's settings to a ledger: the file that is the default, connections, secrets, retention."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from airflow_provider_userdata.errors import ArgumentError, LedgerBusyError, LedgerError
from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.operators import ledger_files
from airflow_provider_userdata.operators.ledger_settings import ledger_database, ledger_secret, task_ledger

KEY = bytes(range(16))
STREAM = Stream("gerosense", "proxy.example.com", None, "steps")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty AIRFLOW_HOME, and no Fernet key."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "")
    return tmp_path


def opened(run: str = "a") -> SqlLedger:
    """Open a task's ledger."""
    ledger = task_ledger(STREAM, keyed=False, run=run)
    ledger.open()
    return ledger


@pytest.fixture
def use_connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Name a connection for the ledger, and a secret."""

    def use(**fields: object) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_LEDGERS", json.dumps(fields))
        monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_CONN_ID", "ledgers")
        monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")

    return use


def test_the_default_is_a_file_of_this_users_alone(home: Path) -> None:
    """Neither the folder, nor the file, nor the secret can be read by others."""
    ledger = opened()
    ledger.mark_delivered(KEY)
    assert ledger.place == str(home / "userdata" / "ledger.db")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home / "userdata").iterdir()}
    assert modes.keys() >= {"ledger.db", "ledger.secret", "ledger.identity"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((home / "userdata").stat().st_mode) == 0o700
    ledger.close()
    assert opened().sift(KEY) == []


def test_two_first_runs_agree_on_the_secret(home: Path) -> None:
    """However many begin at once."""
    (home / "userdata").mkdir()
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(ledger_secret(begin=True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (home / "userdata").iterdir()] == ["ledger.secret"]


def test_a_secret_that_is_lost_or_cut_off(home: Path) -> None:
    """Isn't made anew under a ledger that was written with it."""
    opened().close()
    secret = home / "userdata" / "ledger.secret"
    kept = secret.read_text()
    secret.write_text("abc")
    with pytest.raises(LedgerError, match="truncated"):
        opened()
    secret.unlink()
    with pytest.raises(LedgerError, match=r"ledger\.secret is missing"):
        opened()
    assert not secret.exists()
    secret.write_text(kept)
    opened().close()


def test_a_ledger_that_is_lost_where_its_secret_is_a_setting(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No secret lies beside it: the witness does."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")
    opened().close()
    (home / "userdata" / "ledger.db").unlink()
    with pytest.raises(LedgerError, match=r"ledger\.db is missing"):
        opened()


def test_many_first_runs_at_once(home: Path) -> None:
    """None takes another's beginning for a ledger that was lost."""
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            opened(f"r{number}").close()
        except BaseException as error:  # noqa: BLE001  # shown by the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_first_run_may_begin_between_two_looks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's file and secret, made after this one has looked for the file, are no ledger that was lost."""

    class Meanwhile(type(Path())):  # type: ignore[misc]  # of this platform
        def exists(self, **_: bool) -> bool:
            there = Path(self).exists()
            Path(self).touch()
            (Path(self).parent / "ledger.secret").write_text("0" * 64)
            return there

    file = ledger_files.default_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(ledger_files, "default_file", lambda: Meanwhile(file))
    ledger_files.prepare()


def test_a_secret_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As text, or by a command, as Airflow takes its own secrets; none is then kept in a file."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET_CMD", "echo a secret from a command")
    assert ledger_secret() == b"a secret from a command"
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "a secret of one's own")
    assert ledger_secret() == b"a secret of one's own"
    opened().close()
    assert not (tmp_path / "userdata" / "ledger.secret").exists()


def test_a_secret_that_is_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not repeated."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_SECRET", "hunter2")
    with pytest.raises(ArgumentError, match="ledger_secret: has less than 16 bytes") as raised:
        opened()
    assert "hunter2" not in str(raised.value)


def test_the_fernet_key_makes_a_secret(monkeypatch: pytest.MonkeyPatch, use_connection: Callable[..., None]) -> None:
    """For a ledger that workers share; it isn't the key itself, and stays while the key is rotated."""
    use_connection(conn_type="sqlite", host="/nowhere")
    monkeypatch.delenv("AIRFLOW__USERDATA__LEDGER_SECRET")
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", old)
    first = ledger_secret()
    assert old.encode() not in first
    assert len(first) == 32
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", f"{new},{old}")
    assert ledger_secret() == first


def test_a_shared_ledger_needs_a_secret(monkeypatch: pytest.MonkeyPatch, use_connection: Callable[..., None]) -> None:
    """Without Airflow's key, one has to be set."""
    use_connection(conn_type="sqlite", host="/nowhere")
    monkeypatch.delenv("AIRFLOW__USERDATA__LEDGER_SECRET")
    with pytest.raises(ArgumentError, match=r"\[userdata\] ledger_secret"):
        opened()


def test_a_connection_to_sqlite(use_connection: Callable[..., None], tmp_path: Path) -> None:
    """Is named by its id."""
    use_connection(conn_type="sqlite", host=str(tmp_path / "of one's own.db"))
    ledger = opened()
    ledger.mark_delivered(KEY)
    ledger.close()
    assert ledger.place == "connection 'ledgers'"
    assert (tmp_path / "of one's own.db").exists()
    assert opened().sift(KEY) == []


def test_a_connection_to_postgresql_is_used_as_its_hook_does(use_connection: Callable[..., None]) -> None:
    """Where it leads nowhere, the message names the connection, and not what is in it."""
    pytest.importorskip("airflow.providers.postgres")
    use_connection(conn_type="postgres", host="127.0.0.1", port=1, login="trillian", password="hunter2", schema="d")
    ledger = task_ledger(STREAM, keyed=True, run="a")
    with pytest.raises(LedgerBusyError, match="connection 'ledgers'") as raised:
        ledger.open()
    for part in ("hunter2", "trillian", "127.0.0.1"):
        assert part not in str(raised.value)


@pytest.mark.skipif("USERDATA_TEST_POSTGRES" not in os.environ, reason="make test-postgres starts one")
def test_a_connection_to_postgresql(use_connection: Callable[..., None]) -> None:
    """Works through Airflow's hook, with what its extra says."""
    server = make_url(os.environ["USERDATA_TEST_POSTGRES"])
    fields = {"host": server.host, "port": server.port, "login": server.username, "schema": server.database}
    use_connection(conn_type="postgres", extra={"sslmode": "disable", "application_name": "ledger-test"}, **fields)
    ledger = opened()
    ledger.mark_delivered(KEY)
    assert ledger.sift(KEY) == []
    with ledger._database.reading() as connection:
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "ledger-test"
    ledger.close()


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"conn_type": "http", "host": "example.com", "password": "hunter2"}, LedgerError, "of type 'http'"),
        ({"conn_type": "nosuch", "host": "example.com", "password": "hunter2"}, LedgerError, "of type 'nosuch'"),
    ],
)
def test_a_connection_that_is_no_database(
    use_connection: Callable[..., None], fields: dict[str, str], error: type[Exception], said: str
) -> None:
    """Says what would do."""
    use_connection(**fields)
    with pytest.raises(error, match=said) as raised:
        ledger_database()
    assert "hunter2" not in str(raised.value)
    assert "sqlite, postgres or mysql" in str(raised.value)


def test_a_connection_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named, with the setting that names it."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_CONN_ID", "nosuch")
    with pytest.raises(ArgumentError, match=r"ledger_conn_id: connection 'nosuch' is not defined"):
        ledger_database()


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "soon"])
def test_a_retention_that_cannot_be(days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said before anything else."""
    monkeypatch.setenv("AIRFLOW__USERDATA__LEDGER_RETENTION_DAYS", days)
    with pytest.raises(ArgumentError, match="whole number of days"):
        opened()


def test_a_home_that_cannot_be_written(home: Path) -> None:
    """Is said with the ledger's path."""
    (home / "userdata").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match=r"ledger\.db can't be created"):
        opened()
