"""The rejects of a run are a source: corrected, each is sent once, however often they are sent again."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording import RejectedLine, StorePath
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Column, RejectsSource, read
from airflow_provider_userdata.sources.rejects_files import RejectsFolder
from tests.delivery.replaying.conftest import FAULTY, right, wrong
from tests.doubles import MemoryStore

Deliver = Callable[..., Result]
Rejects = Callable[..., RejectsSource]
Rows = Callable[..., list[dict[str, Any]]]
Lines = Callable[[str | None], list[dict[str, Any]]]
COUNT = 60


def counts(ended: Result) -> tuple[int, int, int, int]:
    """Give how many were read, delivered, rejected and held."""
    report = ended.report
    return report.read, report.delivered, report.rejected, report.held


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_what_is_corrected_is_sent_once(
    vendor: str, deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The first replay delivers all, the next ones find nothing, and the first run's files stay as they were."""
    deliver(vendor, wrong(rows(vendor, COUNT)))
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}

    first = again(vendor, rejects(fix=right), run="monday")
    second = again(vendor, rejects(fix=right), run="tuesday")

    assert (first.error, counts(first)) == (None, (len(FAULTY), len(FAULTY), 0, 0))
    assert (second.error, counts(second)) == (None, (0, 0, 0, 0))
    arrived = sandbox.vendors[vendor].counts
    assert (arrived.records, arrived.distinct) == (COUNT, COUNT)
    after = {path.name: path for path in (tmp_path / "run").iterdir()}
    assert {name: after.pop(name).read_bytes() for name in before} == before
    (marks,) = after.values()  # and no claim
    assert stat.S_IMODE(marks.stat().st_mode) == 0o600


def test_what_is_rejected_again_says_where_it_was(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox, lines: Lines, tmp_path: Path
) -> None:
    """Its line is in the replay's own folder, with the first run's file and line; another replay may correct it."""
    deliver("thymia", wrong(rows("thymia", COUNT)))

    ended = again("thymia", rejects(fix=lambda record: record if "20" in str(record) else right(record)))

    assert counts(ended) == (len(FAULTY), len(FAULTY) - 1, 1, 0)
    (line,) = lines(ended.report.rejects)
    assert Path(str(ended.report.rejects)).parent == tmp_path / "again" / "monday"
    first = lines(line["file"])[line["line"] - 1]
    assert (first["position"], first["rule"], first["record"]) == (20, line["rule"], line["record"])
    assert counts(again("thymia", rejects(fix=right), run="tuesday")) == (1, 1, 0, 0)
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_a_replays_own_rejects_are_the_first_ones_too(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Sent from either place, at whatever distance, a record is sent once."""
    deliver("thymia", wrong(rows("thymia", COUNT)))
    unchanged = again("thymia", rejects(), run="a")
    third = again("thymia", RejectsSource(tmp_path / "again" / "a"), run="b")
    assert (unchanged.report.rejected, third.report.rejected) == (len(FAULTY), len(FAULTY))

    sent = [
        again("thymia", RejectsSource(tmp_path / "again" / "b", fix=right, limit=2), run="c"),
        again("thymia", rejects(fix=right, limit=2), run="d"),
        again("thymia", RejectsSource(tmp_path / "again" / "a", fix=right), run="e"),
        *(
            again("thymia", RejectsSource(tmp_path / place, fix=right), run=f"z{place[-1]}")
            for place in ("run", "again/b")
        ),
    ]

    assert [one.report.delivered for one in sent] == [2, 2, 2, 0, 0]
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_some_of_them(deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox) -> None:
    """By rule, by number, and by what the function leaves out; the rest is left to another replay."""
    records: list[Any] = rows("gerosense", 20)
    records[3] = records[3] | {"start_date": "2023-11-01"}
    records[4], records[5] = {"right": records[4]}, {"right": records[5]}
    rules = [line["rule"] for line in map(json.loads, _text(deliver("gerosense", records)))]
    assert len(set(rules)) > 1

    def fix(record: Any, line: RejectedLine) -> Any:
        if line.position == 5:
            return None
        return right(record) if "right" in record else {**record, "start_date": "2023-11-01T00:00:03.000+04:00"}

    sources = [rejects(fix=fix, rules=rules[0]), rejects(fix=fix, limit=1), rejects(fix=fix), rejects(fix=right)]
    ended = [again("gerosense", source, run=str(number)) for number, source in enumerate(sources)]

    assert [one.report.read for one in ended] == [1, 1, 0, 1]
    assert sum(one.report.delivered + one.report.held for one in ended) == 3


def _text(ended: Result) -> list[str]:
    return Path(str(ended.report.rejects)).read_text().splitlines()


def test_what_may_be_there_is_sent_only_where_asked(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox
) -> None:
    """An unknown record of the first run, and one whose replay nobody answered."""
    sandbox.thymia.script("202")
    deliver("thymia", wrong(rows("thymia", 3), (1,)), max_in_flight=1)
    sandbox.thymia.script("202")

    asked = again("thymia", rejects(fix=right), run="a")
    unasked = again("thymia", rejects(fix=right), run="b")

    assert (asked.report.read, asked.report.unknown, unasked.report.read) == (1, 1, 0)
    both = again("thymia", rejects(fates="unknown", fix=lambda one: one.get("right", one)), run="c")
    assert counts(both) == (2, 2, 0, 0)
    assert again("thymia", rejects(fates=("unknown", "rejected")), run="d").report.read == 0


def test_what_a_cleared_task_has_delivered_is_no_reject(
    attempt: Deliver, again: Deliver, rejects: Rejects, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """Only the last fate of a position counts."""
    records = rows("ptengine", COUNT)
    attempt("ptengine", wrong(records), max_rejected=0)
    store.max_tries = 1
    attempt("ptengine", wrong(records, (7, 8)), max_rejected=0)

    assert counts(again("ptengine", rejects(fix=right))) == (2, 2, 0, 0)
    assert sandbox.ptengine.counts.records == sandbox.ptengine.counts.distinct == COUNT


@pytest.mark.parametrize("kept", ["the source as it was", "the source corrected"])
def test_a_cleared_task_sends_nothing_that_a_replay_has(
    kept: str, attempt: Deliver, again: Deliver, rejects: Rejects, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """Whoever clears after a replay gets the counts of both, as often as the task is cleared."""
    records = rows("thymia", COUNT)
    attempt("thymia", wrong(records), max_rejected=0)
    sandbox.thymia.script("202")
    assert again("thymia", rejects(fix=right, limit=3), max_in_flight=1).report.delivered == 2
    for tries, left in enumerate([FAULTY[3:], FAULTY[5:], ()], start=1):
        store.max_tries = tries
        now = wrong(records, (*FAULTY[:3], *left) if kept == "the source as it was" else left)

        report = attempt("thymia", now, max_rejected=0).report

        assert (report.delivered, report.rejected, report.unknown) == (COUNT - 1 - len(left), len(left), 1)
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT - 1
    assert again("thymia", rejects(fix=right), run="tuesday").report.read == 0


def test_held_samples_that_go_by_themselves_are_left_out(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Samples that are too few for a request go with the task's next run, and not with a replay, too."""
    held = CarryOverFolder(tmp_path / "held", "steps", "us", "monday")
    deliver("gerosense", rows("gerosense", 2), held=held)

    assert again("gerosense", rejects()).report.read == 0


def test_a_csv_keeps_its_rules(
    deliver: Deliver, again: Deliver, rejects: Rejects, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A cell that is written like a number is one, also in the replay, under the same `fields`."""
    path = tmp_path / "steps.csv"
    path.write_text(
        "device,at,n\n" + "".join(f"ring,2024-05-01T08:0{n}:00Z,{n}.0\n" for n in range(1, 6)) + "ring,,7\n"
    )
    fields = {"device_name": "device", "start_date": "at", "value": "n", "unit": Column("unit")}
    deliver("gerosense", str(path), fields=fields)
    sent = again("gerosense", rejects(fix=lambda row: row | {"unit": "count"}), fields=fields)
    assert sent.report.delivered == 0  # a new dictionary's texts are texts

    def fix(row: Any) -> Any:
        row["unit"] = "count"
        return row

    assert counts(again("gerosense", rejects(fix=fix), fields=fields, run="b")) == (6, 5, 1, 0)
    assert [sample["value"] for sample in sandbox.gerosense.arrived()] == [1, 2, 3, 4, 5]


def test_checking_alone_marks_nothing(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """With `validate_only`, what would be sent is counted, and stays where it is."""
    deliver("thymia", wrong(rows("thymia", COUNT)))

    assert counts(again("thymia", rejects(fix=right), validate_only=True, run="a"))[0] == len(FAULTY)
    assert not list((tmp_path / "run").glob("replay*"))
    assert counts(again("thymia", rejects(fix=right), run="b")) == (len(FAULTY), len(FAULTY), 0, 0)


def test_a_replay_that_is_cleared_sends_nothing_twice(
    deliver: Deliver, again: Deliver, rejects: Rejects, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """A finished one reads what is left; a red one goes on with what it had rejected."""
    deliver("thymia", wrong(rows("thymia", COUNT)))

    def half(record: Any) -> Any:
        return right(record) if "20" in str(record) else record

    red = again("thymia", rejects(fix=half), store=store, max_rejected=0)
    assert counts(red) == (len(FAULTY), 1, len(FAULTY) - 1, 0)
    store.max_tries = 1
    green = again("thymia", rejects(fix=right), store=store, max_rejected=0, attempt="2-x")
    assert (green.error, counts(green)) == (None, (len(FAULTY), len(FAULTY), 0, 0))
    store.max_tries = 2
    assert counts(again("thymia", rejects(fix=right), store=store, max_rejected=0, attempt="3-x")) == (0, 0, 0, 0)
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_in_an_object_store(
    deliver: Deliver,
    again: Deliver,
    attempt: Deliver,
    rows: Rows,
    sandbox: Sandbox,
    objects: Callable[[Path], StorePath],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Marks are parts there, too."""
    folder = objects(tmp_path / "run")
    attempt("thymia", wrong(rows("thymia", COUNT)), output=folder)
    names = sorted(path.name for path in folder.iterdir() if path.name.startswith("rejects-"))
    found = [RejectsFolder(folder, names)]
    monkeypatch.setattr("airflow_provider_userdata.sources.rejects.find_rejects", lambda *_: found)

    assert counts(again("thymia", RejectsSource("x", fix=right), run="a")) == (len(FAULTY), len(FAULTY), 0, 0)
    assert counts(again("thymia", RejectsSource("x", fix=right), run="b")) == (0, 0, 0, 0)
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_in_a_real_object_store(
    deliver: Deliver, again: Deliver, attempt: Deliver, rows: Rows, sandbox: Sandbox, bucket: Any
) -> None:
    """By a glob, and by a folder."""
    attempt("thymia", wrong(rows("thymia", COUNT)), output=StorePath(bucket / "run"))
    sources = [
        RejectsSource(bucket / "run" / "rejects-*.jsonl", fix=right, limit=2),
        RejectsSource(bucket / "run", fix=right),
    ]
    ended = [again("thymia", source, run=str(number)) for number, source in enumerate([*sources, sources[1]])]

    assert [(one.error, one.report.delivered) for one in ended] == [(None, 2), (None, len(FAULTY) - 2), (None, 0)]
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_an_authors_function_may_read_them(deliver: Deliver, rejects: Rejects, rows: Rows, sandbox: Sandbox) -> None:
    """`read` yields the records of the rejects as dictionaries."""
    records = rows("ptengine", COUNT)
    deliver("ptengine", wrong(records))

    assert list(read(rejects(fix=right, limit=2))) == [records[place] for place in FAULTY[:2]]
