"""`airflow userdata ledger …`, and the same without Airflow's command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import Stream
from airflow_provider_userdata.operators.ledger_settings import ledger_secret, task_ledger

PROFILES = Stream("ptengine", "api.example.com", 8443)
MOODS = Stream("thymia", "api.example.com", None, "mood")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an AIRFLOW_HOME with a ledger of two users and a record."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    profiles = task_ledger(PROFILES, keyed=True, run="r")
    profiles.open()
    of = Fingerprints(ledger_secret()).of_all
    users, values = of([b"ann", b"bob"]), of([b"x", b"y"])
    profiles.sift(users, values)
    profiles.mark_delivered(users, values)
    profiles.close()
    moods = task_ledger(MOODS, keyed=False, run="r")
    moods.open()
    moods.mark_delivered(of([b"record"]))
    moods.close()
    return tmp_path


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command in this process, and give what it prints."""

    def call(*arguments: str) -> str:
        main(["ledger", *arguments])
        return capsys.readouterr().out

    return call


def test_streams_are_shown_to_people_and_to_programs(run: Callable[..., str]) -> None:
    """As a table, and as JSON."""
    head, first, second = run("streams").splitlines()
    assert head.split()[:3] == ["stream", "vendor", "address"]
    assert first.split()[:4] == ["1", "ptengine", "api.example.com:8443", "users"]
    assert second.split()[:6] == ["2", "thymia", "api.example.com", "mood", "records", "1"]
    rows: list[dict[str, Any]] = json.loads(run("streams", "--output", "json"))
    assert [(row["stream"], row["holds"], row["entries"]) for row in rows] == [(1, "users", 2), (2, "records", 1)]


def test_entries_are_exported(run: Callable[..., str]) -> None:
    """A line each, of all streams or of those that are named."""
    assert len(run("export").splitlines()) == 3
    (line,) = run("export", "--vendor", "thymia").splitlines()
    assert json.loads(line).keys() == {"stream", "key", "fingerprint", "day"}
    assert len(run("export", "--stream", "1").splitlines()) == 2


def test_a_user_is_forgotten(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By their id in the command line, or read from the input, where no shell keeps it."""
    assert run("forget", "--user", "ann", "--yes") == "Forgot 1 entries.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("bob\n"))
    assert run("forget", "--user", "-", "--vendor", "ptengine", "--yes") == "Forgot 1 entries.\n"
    assert run("forget", "--user", "ann", "--yes") == "Forgot 0 entries.\n"


def test_a_stream_is_forgotten(run: Callable[..., str]) -> None:
    """By its number."""
    assert run("forget", "--stream", "1", "--yes") == "Forgot 2 entries.\n"
    assert [row["stream"] for row in json.loads(run("streams", "-o", "json"))] == [2]


def test_old_entries_are_forgotten(run: Callable[..., str]) -> None:
    """Those of today are not old."""
    assert run("forget", "--older-than", "1", "--yes") == "Forgot 0 entries.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forget", "--yes"], "name what to forget"),
        (["forget", "--stream", "1"], "say --yes"),
        (["forget", "--stream", "9", "--yes"], "no stream 9"),
        (["export", "--stream", "9"], "no stream 9"),
        (["forget", "--user", "ann", "--stream", "9", "--yes"], "no stream 9"),
        (["forget", "--user", "ann", "--older-than", "3", "--yes"], "don't go together"),
        (["forget", "--older-than", "0", "--yes"], "at least 1 day"),
        (["forget", "--user", "-", "--yes"], "--user: is empty"),
        (["forget", "--user", " ", "--yes"], "--user: is empty"),
        (["forget", "--vendor", "ptengin", "--yes"], "streams of ptengine, thymia, not of this one"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Callable[..., str], arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a line, with an exit code; nothing is forgotten."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert said in str(ended.value)
    assert len(run("export").splitlines()) == 3


def test_a_stream_gets_a_name(run: Callable[..., str]) -> None:
    """A task with this `ledger_stream` finds its entries, whatever its address; the name is taken then."""
    assert "The stream 1 is 'crm' now, with all its 2 entries" in run(
        "adopt", "--stream", "1", "--name", "crm", "--yes"
    )
    named = task_ledger(Stream("ptengine", "other.example.com", name="crm"), keyed=True, run="r2")
    named.open()
    of = Fingerprints(ledger_secret()).of_all
    assert named.sift(of([b"ann", b"bob", b"cyd"]), of([b"x", b"z", b"x"])) == [1, 2]
    named.close()
    assert json.loads(run("streams", "-o", "json"))[0]["name"] == "crm"
    with pytest.raises(SystemExit, match="has a stream 'crm' of ptengine already: number 1"):
        run("adopt", "--stream", "1", "--name", "crm", "--yes")
    with pytest.raises(SystemExit, match="no stream 9"):
        run("adopt", "--stream", "9", "--name", "x", "--yes")
    with pytest.raises(SystemExit, match="--name"):
        run("adopt", "--stream", "1", "--name", " ", "--yes")
    with pytest.raises(SystemExit, match="say --yes"):
        run("adopt", "--stream", "2", "--name", "x")


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("", 3)])
def test_it_asks_before_it_forgets(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    """Anything but a yes is a no."""

    class Terminal:
        def isatty(self) -> bool:
            return True

    asked: list[str] = []

    def put(question: str) -> str:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", put)
    if left == 1:
        run("forget", "--stream", "1")
    else:
        with pytest.raises(SystemExit):
            run("forget", "--stream", "1")
    assert "streams 1?" in asked[0]
    assert len(run("export").splitlines()) == left


def reopened() -> list[int]:
    """Let a task open the ledger and look up what it had delivered."""
    ledger = task_ledger(MOODS, keyed=False, run="later")
    ledger.open()
    missing = ledger.sift(Fingerprints(ledger_secret()).of_all([b"record"]))
    ledger.close()
    return missing


LOST: dict[str, Callable[[Path], object]] = {
    "file": lambda folder: (folder / "ledger.db").unlink(),
    "content": lambda folder: (folder / "ledger.db").write_bytes(b""),
    "secret": lambda folder: (folder / "ledger.secret").unlink(),
    "half of the secret": lambda folder: (folder / "ledger.secret").write_text("abc"),
    "file and secret": lambda folder: list(map(Path.unlink, [folder / "ledger.db", folder / "ledger.secret"])),
}


@pytest.mark.parametrize("lost", LOST)
def test_a_new_ledger_is_begun(lost: str, home: Path, run: Callable[..., str]) -> None:
    """Only on purpose: until then tasks stop, and name the command."""
    LOST[lost](home / "userdata")
    with pytest.raises(LedgerError, match="`airflow userdata ledger begin`"):
        reopened()
    assert run("begin", "--yes") == "The new ledger is ready.\n"
    assert reopened() == [0]
    assert run("begin", "--yes").startswith("The ledger is complete")
    assert [row["entries"] for row in json.loads(run("streams", "-o", "json"))] == [0]


def test_a_whole_ledger_is_not_begun_anew(run: Callable[..., str]) -> None:
    """By a command in the wrong place nothing is forgotten."""
    assert run("begin", "--yes").startswith("The ledger is complete: nothing to do")
    assert reopened() == []


def test_another_ledger_is_begun_with(home: Path, run: Callable[..., str], tmp_path: Path) -> None:
    """As it is."""
    (home / "userdata" / "ledger.identity").write_text(f"{'0' * 32}\n")
    with pytest.raises(LedgerError, match="isn't the one"):
        reopened()
    with pytest.raises(SystemExit, match="say --yes"):
        run("begin")
    assert run("begin", "--yes") == "The new ledger is ready.\n"
    assert reopened() == []


def test_there_is_nothing_to_begin_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first task does."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    main(["ledger", "begin", "--yes"])
    assert "no ledger yet" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_no_ledger_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command says so, and makes none."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match=r"no ledger at .* yet"):
        main(["ledger", "streams"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-m", "airflow", "userdata"], marks=pytest.mark.airflow_3),
        [sys.executable, "-m", "airflow_provider_userdata"],
    ],
)
def test_both_command_lines_know_them(home: Path, command: list[str]) -> None:
    """Airflow's, by the provider's `cli`, and our own."""
    done = subprocess.run(
        [*command, "ledger", "streams", "--output", "json"],
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [row["vendor"] for row in json.loads(done.stdout)] == ["ptengine", "thymia"]
