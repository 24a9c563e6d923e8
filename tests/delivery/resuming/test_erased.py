"""A user is erased from what a run left, on the user's behalf: what is true of all others stays true."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.cli.erasing import erase_lines
from airflow_provider_userdata.cli.mentions import Mentions
from airflow_provider_userdata.cli.run_folders import RunFolder
from airflow_provider_userdata.cli.user_lines import lines_with
from airflow_provider_userdata.cli.user_search import InRun
from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading import Header, RowFormat, ValueRow
from airflow_provider_userdata.delivery.recording import ReplayMarks, StorePath, files_below
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.errors import SourceChangedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Chunks, MemoryStore

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
USER = "geheim-u-4711"
COUNT = 20
LONG = "x" * 200


def erase(folder: Any) -> dict[str, int]:
    """Erase the user from a run's files, as the command does; give how many lines of which kind."""
    run = RunFolder("dag", "run", "task", "", folder, files_below(folder)[()])
    user = Mentions(USER)
    counts = erase_lines(InRun(run, lines_with(run, user)), user)
    assert lines_with(run, user) == []
    return {kind: count for kind, count in counts.items() if count}


def contents(folder: Any) -> dict[str, bytes]:
    """Give what is in a folder's files."""
    found = {}
    for path in folder.iterdir():
        with path.open("rb") as file:
            found[path.name] = file.read()
    return found


def counts(ended: Result) -> tuple[int, int, int, int]:
    """Give how many were read, delivered, rejected and held."""
    report = ended.report
    return report.read, report.delivered, report.rejected, report.held


def source(rows: Rows, vendor: str, *, corrected: bool) -> list[dict[str, Any]]:
    """Make records of which the fourth is the user's, and spoilt, and the last is another's, and may be corrected."""
    records = rows(vendor, COUNT)
    if vendor == "ptengine":
        records[3] = {"user_id": USER, "plan": LONG}
        records[-1]["plan"] = "geheim" if corrected else LONG
    else:
        records[3] = {"user": {"userLabel": USER}, "data": ["mail"]}
        records[-1]["data"] = {"note": "geheim"} if corrected else ["mail"]
    return records


@pytest.fixture(params=["disk", "store"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Give a run's folder, on a disk and in an object store."""
    return tmp_path / "run" if request.param == "disk" else StorePath(request.getfixturevalue("bucket") / "run")


@pytest.mark.parametrize("vendor", ["thymia", "ptengine"])
def test_a_run_that_was_red_goes_on(
    vendor: str, output: Any, attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """Corrected and cleared, it sends the other reject; the erased one keeps its fate, and isn't sent."""
    red = attempt(vendor, source(rows, vendor, corrected=False), max_rejected=0, output=output)
    assert counts(red) == (COUNT, COUNT - 2, 2, 0)
    before = contents(output)

    assert erase(output) == {"originals": 1, "rejects": 1}

    after = contents(output)
    assert {name: len(text) for name, text in after.items()} == {name: len(text) for name, text in before.items()}
    assert not any(USER.encode() in text for text in after.values())
    store.max_tries = 1
    green = attempt(vendor, source(rows, vendor, corrected=True), max_rejected=1, output=output)

    assert (green.error, counts(green)) == (None, (COUNT, COUNT - 1, 1, 0))
    assert sum(green.report.reasons.values()) == 1
    assert not any(USER.encode() in text for text in contents(output).values())
    assert sandbox.vendors[vendor].counts.records == COUNT - 1


def test_it_may_be_corrected_several_times(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The rows of each attempt are compared with those of the one before."""
    attempt("ptengine", source(rows, "ptengine", corrected=False), max_rejected=0)
    erase(tmp_path / "run")
    for tries, corrected in enumerate([False, False, True, True], 1):
        store.max_tries = tries

        ended = attempt("ptengine", source(rows, "ptengine", corrected=corrected), max_rejected=0)

        assert counts(ended) == (COUNT, COUNT - 2 + corrected, 2 - corrected, 0)
    assert sandbox.ptengine.counts.records == COUNT - 1


def test_a_reject_that_a_replay_had_delivered(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """It counts as delivered, also once it is erased."""
    attempt("ptengine", source(rows, "ptengine", corrected=False), max_rejected=0)
    marks = ReplayMarks(tmp_path / "run", "a replay", "1-x")
    marks.record("rejects-1-x.jsonl", [(1, 1)], Fate.DELIVERED)
    marks.close()
    erase(tmp_path / "run")
    store.max_tries = 1

    green = attempt("ptengine", source(rows, "ptengine", corrected=True), max_rejected=0)

    assert (green.error, counts(green)) == (None, (COUNT, COUNT, 0, 0))
    assert sandbox.ptengine.counts.records == COUNT - 1


@pytest.mark.parametrize("change", [lambda rows: [*rows[:3], *rows[4:]], lambda rows: [*rows[:3], rows[5], *rows[4:]]])
def test_the_erased_row_must_be_as_it_was(
    change: Callable[[list[Any]], list[Any]],
    attempt: Attempt,
    rows: Rows,
    store: MemoryStore,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Nobody knows any more what it was: if it is gone or was corrected, nothing is sent, and a way out is named."""
    attempt("thymia", source(rows, "thymia", corrected=False), max_rejected=0)
    erase(tmp_path / "run")
    store.max_tries = 1
    before = sandbox.thymia.counts.requests

    ended = attempt("thymia", change(source(rows, "thymia", corrected=True)), max_rejected=0)

    assert isinstance(ended.error, SourceChangedError)
    assert "1 rejected or held records were erased" in str(ended.error)
    assert "`airflow userdata replay` sends the other rejects" in str(ended.error)
    assert sandbox.thymia.counts.requests == before


@pytest.mark.parametrize("as_text", [True, False])
def test_rows_of_tables(as_text: bool, attempt: Attempt, store: MemoryStore, sandbox: Sandbox, tmp_path: Path) -> None:
    """What was read of them is kept as cells, or as text: it is erased, too."""
    header = Header(("user_id", "plan", "score"))

    def table(plan: str) -> Chunks:
        made = [(f"geheim-{number}", "a", Decimal(number)) for number in range(COUNT)]
        made[3] = (USER, LONG, Decimal(1))
        made[-1] = ("geheim-last", plan, Decimal(1))
        return Chunks([ValueRow(header, row) for row in made], 7, form=RowFormat.VALUES, as_text=as_text)

    attempt("ptengine", table(LONG), max_rejected=0)
    assert erase(tmp_path / "run") == {"originals": 1, "rejects": 1}
    store.max_tries = 1

    green = attempt("ptengine", table("a"), max_rejected=1, restart_if_changed=False)

    assert (green.error, counts(green)) == (None, (COUNT, COUNT - 1, 1, 0))


def test_an_attempt_that_failed_goes_on(
    attempt: Attempt, rows: Rows, sandbox: Sandbox, tmp_path: Path, whole: Callable[..., None]
) -> None:
    """The checkpoint covers the files as before: nothing is sent twice, and each record has one fate."""
    records = rows("thymia", COUNT)
    records[1], records[4] = ({"user": {"userLabel": USER}, "data": data} for data in ({"a": "b"}, ["mail"]))
    sandbox.thymia.script("ok x9", *["503"] * 9)
    down = attempt("thymia", records, max_in_flight=1, patience=Patience(max_attempts=2), max_rejected=1)
    assert isinstance(down.error, VendorDownError)
    done = erase(tmp_path / "run")
    assert done["receipts"] == 1
    assert done["rejects"] >= 1

    ended = attempt("thymia", records, max_rejected=1)

    assert ended.error is None
    whole(ended.report, COUNT)
    assert sandbox.thymia.counts.records == COUNT - 1


def test_a_sample_that_was_carried_in(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, deliver: Callable[..., Result], tmp_path: Path
) -> None:
    """The source doesn't have it: nobody can compare any more, nothing is sent, and the rejects can be replayed."""

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run)

    records = rows("gerosense", COUNT)
    records[0]["device_name"] = USER
    deliver("gerosense", records[:2], output=tmp_path / "monday", held=held("monday"))
    attempt("gerosense", [*records[2:], "geheim"], max_rejected=0, held=held("tuesday"))
    assert erase(tmp_path / "run") == {"originals": 1}
    store.max_tries = 1
    before = sandbox.gerosense.counts.requests

    ended = attempt("gerosense", [*records[2:], *rows("gerosense", 1, first=50)], max_rejected=0, held=held("tuesday"))

    assert isinstance(ended.error, SourceChangedError)
    assert "`airflow userdata replay` sends the other rejects" in str(ended.error)
    assert sandbox.gerosense.counts.requests == before


def test_lines_that_a_crash_cut_short(tmp_path: Path) -> None:
    """They prove nothing, and may hold the user: they become blank, and others' stay."""
    folder = tmp_path / "run"
    folder.mkdir()
    reject = {"position": 3, "fate": "rejected", "rule": "P4", "reason": "r", "record": {"user_id": USER, "b": "c"}}
    torn, other = json.dumps(reject)[:-5], json.dumps({**reject, "record": {"user_id": "else"}})
    (folder / "rejects-1-x.jsonl").write_text(f"{torn}\n{other}\n{torn}")
    line = base64.b64encode(json.dumps({"user_id": USER, "plan": "a"}).encode()).decode()
    original = f'{{"position":3,"row":{{"line":"{line}"}}}}'
    (folder / "originals-1-x.jsonl").write_text(original[:-6])
    before = {path.name: path.stat().st_size for path in folder.iterdir()}

    assert erase(folder) == {"originals": 1, "rejects": 2}

    assert {path.name: path.stat().st_size for path in folder.iterdir()} == before
    first, second, third = (folder / "rejects-1-x.jsonl").read_text().split("\n")
    assert (first.strip(), second, third.strip()) == ("", other, "")
    assert (folder / "originals-1-x.jsonl").read_text().strip() == ""
