"""A run that was red for its rejects, whose source was corrected: cleared, it sends only what was not delivered."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, ValueRow
from airflow_provider_userdata.delivery.recording import StorePath
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.errors import RejectsError, ResumeError, SourceBrokeError, SourceChangedError
from airflow_provider_userdata.operators.task_state import FileStore
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.gerosense import GeroSense
from tests.doubles import Chunks, MemoryStore

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
COUNT = 60
FAULTY = (0, 7, 8, 20, 41, 59)
VENDORS = ["thymia", "gerosense", "ptengine"]


def spoilt(records: list[Any], places: tuple[int, ...] = FAULTY) -> list[Any]:
    """Put what no vendor takes at some places."""
    return ["geheim" if place in places else record for place, record in enumerate(records)]


def counts(ended: Result) -> tuple[int, int, int, int]:
    """Give how many were read, delivered, rejected and held."""
    report = ended.report
    return report.read, report.delivered, report.rejected, report.held


@pytest.mark.parametrize("size", [1, 7, 20, 1000])
@pytest.mark.parametrize("vendor", VENDORS)
def test_only_what_was_rejected_is_sent(
    vendor: str, size: int, attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """The corrected rows go out, and the counts are the whole run's, in chunks of whatever size."""
    records = rows(vendor, COUNT)
    red = attempt(vendor, Chunks(spoilt(records), 20), max_rejected=0)
    assert isinstance(red.error, RejectsError)
    assert counts(red) == (COUNT, COUNT - len(FAULTY), len(FAULTY), 0)
    store.max_tries = 1

    green = attempt(vendor, Chunks(records, size), max_rejected=0)

    assert green.error is None
    assert (counts(green), green.report.reasons) == ((COUNT, COUNT, 0, 0), {})
    arrived = sandbox.vendors[vendor].counts
    assert (arrived.records, arrived.distinct) == (COUNT, COUNT)
    assert attempt(vendor, Chunks(records, size), max_rejected=0).repeated


def test_rows_may_be_added_at_the_end(attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox) -> None:
    """What is new is sent with what was corrected."""
    records = rows("ptengine", COUNT + 5)
    attempt("ptengine", spoilt(records[:COUNT]), max_rejected=0)
    store.max_tries = 1

    green = attempt("ptengine", records, max_rejected=0)

    assert (green.error, counts(green)) == (None, (COUNT + 5, COUNT + 5, 0, 0))
    assert sandbox.ptengine.counts.records == COUNT + 5


@pytest.mark.parametrize(
    "change",
    [
        lambda rows, new: [*rows[:30], new, *rows[31:]],
        lambda rows, new: [*rows[:30], *rows[31:]],
        lambda rows, new: [*rows[:30], new, *rows[30:]],
        lambda rows, new: rows[:30],
        lambda rows, new: rows[::-1],
        lambda rows, new: [row for place, row in enumerate(rows) if place not in FAULTY],
        lambda rows, new: ["geheim", "geheim", *rows],
    ],
)
@pytest.mark.parametrize("size", [7, 1000])
def test_a_delivered_row_that_changed_ends_it(
    change: Callable[[list[Any], Any], list[Any]],
    size: int,
    attempt: Attempt,
    rows: Rows,
    store: MemoryStore,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Nothing is sent, the ways out are named, and when it is put right, the run goes on.

    Nobody knows which rows are which: the rejects stay what they were, so that a replay sends nothing else.
    """
    records, (new,) = rows("thymia", COUNT), rows("thymia", 1, first=COUNT)
    red = attempt("thymia", spoilt(records), max_rejected=0)
    before = sandbox.thymia.counts.requests
    store.max_tries = 1

    for _ in range(2):
        refused = attempt("thymia", Chunks(change(records, new), size), max_rejected=0)
        assert isinstance(refused.error, SourceChangedError)
        assert "resume=False" in str(refused.error)
        assert sandbox.thymia.counts.requests == before
        assert counts(refused) == counts(red) == (COUNT, COUNT - len(FAULTY), len(FAULTY), 0)
        assert (refused.report.reasons, refused.report.invalid) == (red.report.reasons, len(FAULTY))
        assert sum(path.read_text().count("\n") for path in (tmp_path / "run").glob("rejects-*")) == len(FAULTY)

    assert counts(attempt("thymia", records, max_rejected=0)) == (COUNT, COUNT, 0, 0)
    assert sandbox.thymia.counts.records == COUNT


def test_a_source_that_breaks_before_it_is_compared_leaves_all_as_it_was(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What was read until then may be other rows than those that were rejected; the next attempt goes on."""
    records = rows("gerosense", COUNT)
    red = attempt("gerosense", spoilt(records), max_rejected=0)
    store.max_tries = 1

    class Breaking(Chunks):
        def chunks(self) -> Iterator[Chunk]:
            yield from list(super().chunks())[:3]
            raise SourceBrokeError("source: the network is gone")

    broken = attempt("gerosense", Breaking(spoilt(records, (7, 41)), 15), max_rejected=0)

    assert isinstance(broken.error, SourceBrokeError)
    assert (counts(broken), broken.report.reasons) == (counts(red), red.report.reasons)
    assert sum(path.read_text().count("\n") for path in (tmp_path / "run").glob("rejects-*")) == len(FAULTY)
    assert counts(attempt("gerosense", records, max_rejected=0)) == (COUNT, COUNT, 0, 0)
    assert sandbox.gerosense.counts.repeated == 0


def test_what_is_still_wrong_is_rejected_again(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """Some rows are corrected at a time, each time cleared: what is left keeps its count and its rule."""
    records = rows("gerosense", COUNT)
    attempt("gerosense", spoilt(records), max_rejected=0)
    for tries, left in enumerate([(0, 8, 59), (0, 8, 59), (8,), ()], 1):
        store.max_tries = tries

        ended = attempt("gerosense", spoilt(records, left), max_rejected=0)

        assert ended.report.rejected == len(left)
        assert ended.report.delivered + ended.report.held == COUNT - len(left)
        assert (ended.error is None) is (not left)
        assert ended.report.reasons.get("G5", 0) == len(left)
    assert sandbox.gerosense.counts.repeated == 0


@pytest.mark.parametrize(
    ("script", "given", "advice"),
    [
        ("422", {}, "clear the task: it sends only what was not delivered. Or"),
        ("422", {"resume": False}, "clear the task: it sends everything again (resume=False). Or"),
        ("hang", {"patience": Patience(on_doubt="hold")}, "clearing the task doesn't send them again"),
    ],
)
def test_the_error_says_what_clearing_sends(
    script: str, given: dict[str, Any], advice: str, attempt: Attempt, rows: Rows, sandbox: Sandbox
) -> None:
    """Whoever follows it sends nothing twice without knowing."""
    sandbox.thymia.script(script)
    red = attempt("thymia", rows("thymia", 3), max_rejected=0, **given)
    assert isinstance(red.error, RejectsError)
    assert str(red.error).count(advice) == 1


def test_a_run_that_started_over_goes_on_once_cleared(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """The error says so, as for any other."""
    sandbox.thymia.script("ok", "503")
    given: dict[str, Any] = {"restart_if_changed": True, "patience": Patience(max_attempts=1), "max_in_flight": 1}
    attempt("thymia", rows("thymia", 3), max_rejected=0, **given)

    red = attempt("thymia", [{"bad": 1}, *rows("thymia", 3)], max_rejected=0, **given)

    assert isinstance(red.error, RejectsError)
    assert "it sends only what was not delivered" in str(red.error)


def test_too_few_samples_wait_for_others(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """One corrected sample alone can't be sent (G4): it is held, and with two more of the same run it goes out."""

    def held() -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", "monday")

    records = rows("gerosense", COUNT)
    attempt("gerosense", spoilt(records, (5, 6, 7)), max_rejected=0, held=held())
    store.max_tries = 1
    one = attempt("gerosense", spoilt(records, (6, 7)), max_rejected=0, held=held())
    assert (counts(one), held().count()) == ((COUNT, COUNT - 3, 2, 1), 1)
    store.max_tries = 2

    green = attempt("gerosense", records, max_rejected=0, held=held())

    assert (green.error, counts(green), held().count()) == (None, (COUNT, COUNT, 0, 0), 0)
    assert sandbox.gerosense.counts.distinct == sandbox.gerosense.counts.records == COUNT


def test_what_another_run_has_claimed_stays_with_it(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A held sample that a later run has taken is not sent by this one, too."""

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run)

    records = rows("gerosense", 6)
    attempt("gerosense", spoilt(records[:2], ()) + ["geheim"] * 4, max_rejected=0, held=held("monday"))
    assert held("monday").count() == 2
    assert len(held("tuesday").claim()) == 2
    store.max_tries = 1

    green = attempt("gerosense", records, max_rejected=0, held=held("monday"))

    assert (green.error, counts(green)) == (None, (6, 4, 0, 2))
    assert sandbox.gerosense.counts.records == 4


def test_samples_that_were_carried_in_are_not_read_anew(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path, deliver: Callable[..., Result]
) -> None:
    """The first positions are those of an earlier run's samples: they keep their place when the run goes on."""

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run)

    records = rows("gerosense", COUNT)
    deliver("gerosense", records[:2], output=tmp_path / "monday", held=held("monday"))
    red = attempt("gerosense", spoilt(records)[2:], max_rejected=0, held=held("tuesday"))
    assert counts(red) == (COUNT, COUNT - 5, 5, 0)
    store.max_tries = 1

    green = attempt("gerosense", records[2:], max_rejected=0, held=held("tuesday"))

    assert (green.error, counts(green)) == (None, (COUNT, COUNT, 0, 0))
    assert sandbox.gerosense.counts.records == COUNT


def test_samples_that_the_vendor_refused_may_be_corrected(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """Also what was refused, and not only what was never sent, is sent again; what is unknown is not."""
    records = rows("thymia", 10)
    sandbox.thymia.script("ok x3", "422", "ok x2", "202")
    red = attempt("thymia", records, max_rejected=0, max_in_flight=1)
    assert (red.report.rejected, red.report.unknown, red.report.delivered) == (1, 1, 8)
    store.max_tries = 1
    records[3]["data"]["note"] = "geheim too"

    again = attempt("thymia", records, max_rejected=1, max_in_flight=1)

    assert (again.error, again.report.delivered, again.report.rejected, again.report.unknown) == (None, 9, 0, 1)
    assert again.report.requests == 11


@pytest.mark.parametrize("as_text", [True, False])
def test_rows_of_tables(as_text: bool, attempt: Attempt, store: MemoryStore, sandbox: Sandbox) -> None:
    """A table's rows may be digested as text or as cells: either way, corrected ones are told from changed ones."""
    header = Header(("device_name", "start_date", "unit", "value"))

    def table(value: Any) -> Chunks:
        rows = [
            ValueRow(header, ("geheim", f"2024-05-01T00:{minute:02}:00Z", "count", value if minute in FAULTY else 1))
            for minute in range(COUNT)
        ]
        return Chunks(rows, 20, form=RowFormat.VALUES, as_text=as_text)

    vendor = GeroSense("steps")
    red = attempt(vendor, table(Decimal(-1)), max_rejected=0)
    assert red.report.rejected == len(FAULTY)
    store.max_tries = 1

    green = attempt(vendor, table(2), max_rejected=0)

    assert (green.error, counts(green)) == (None, (COUNT, COUNT, 0, 0))
    assert sandbox.gerosense.counts.records == COUNT


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json"])
def test_files(suffix: str, attempt: Attempt, store: MemoryStore, sandbox: Sandbox, tmp_path: Path) -> None:
    """Files are corrected in an editor: a value, a line with too few cells, a line that isn't JSON."""
    path = tmp_path / f"source{suffix}"
    good = [{"user_id": f"geheim-{number}", "plan": "a"} for number in range(COUNT)]
    bad = [{**one, "user_id": ""} if place in FAULTY else one for place, one in enumerate(good)]

    def text(records: list[dict[str, str]], *, torn: bool) -> str:
        if suffix == ".json":
            return json.dumps(records)
        lines = [json.dumps(one) if suffix == ".jsonl" else f"{one['user_id']},{one['plan']}" for one in records]
        if torn:
            lines[30] = "geheim-30"
        return "\n".join([*(["user_id,plan"] if suffix == ".csv" else []), *lines, ""])

    path.write_text(text(bad, torn=True))
    red = attempt("ptengine", str(path), max_rejected=0)
    assert red.report.rejected == len(FAULTY) + (suffix != ".json")
    store.max_tries = 1
    path.write_text(text(good, torn=False))

    green = attempt("ptengine", str(path), max_rejected=0, restart_if_changed=False)

    assert (green.error, counts(green)) == (None, (COUNT, COUNT, 0, 0))
    assert sandbox.ptengine.counts.records == COUNT


def test_files_of_another_machine_end_it(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the rejects can't be read, nobody can tell which records to send: it is said where they are."""
    records = rows("thymia", 10)
    attempt("thymia", spoilt(records, (1,)), max_rejected=0)
    store.max_tries = 1
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")

    ended = attempt("thymia", records, max_rejected=0, output=tmp_path / "disk of another worker")

    assert isinstance(ended.error, ResumeError)
    assert "output_path" in str(ended.error)
    assert sandbox.thymia.counts.records == 9


@pytest.mark.parametrize("mounted", ["run", "mounted elsewhere"])
def test_workers_share_a_folder(
    mounted: str,
    attempt: Attempt,
    rows: Rows,
    store: MemoryStore,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Each pod of Kubernetes has a name of its own: what counts is that the files are there."""
    records = rows("thymia", 10)
    attempt("thymia", spoilt(records, (1,)), max_rejected=0)
    store.max_tries = 1
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    (tmp_path / "run").rename(tmp_path / mounted)

    green = attempt("thymia", records, max_rejected=0, output=tmp_path / mounted)

    assert (green.error, counts(green)) == (None, (10, 10, 0, 0))
    assert sandbox.thymia.counts.records == 10


def test_a_run_may_be_corrected_more_than_ten_times(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox
) -> None:
    """What a row was last counts, in whatever order the store gives back the files of the attempts."""
    records = rows("thymia", 10)
    for tries in range(12):
        store.max_tries = tries
        red = attempt("thymia", [f"geheim {tries}", *records], max_rejected=0)
        assert isinstance(red.error, RejectsError)
    assert sandbox.thymia.counts.records == 10


def test_lost_originals_end_it(
    attempt: Attempt, rows: Rows, store: MemoryStore, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without what a rejected row was, the others can't be compared."""
    records = rows("thymia", 10)
    attempt("thymia", spoilt(records, (1,)), max_rejected=0)
    store.max_tries = 1
    (tmp_path / "run" / "originals-1-x.jsonl").unlink()

    ended = attempt("thymia", records, max_rejected=0)

    assert isinstance(ended.error, ResumeError)
    assert sandbox.thymia.counts.records == 9


def test_a_green_run_keeps_the_originals_of_its_rejects(
    attempt: Attempt, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """They show later what of its source is as it was read, also once the rejects are corrected; nothing else stays."""
    attempt("thymia", spoilt(rows("thymia", 10), (1,)), max_rejected=1)

    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "run").iterdir()) == [
        *("originals", "receipts", "rejects")
    ]


def test_object_stores(
    attempt: Attempt,
    rows: Rows,
    store: MemoryStore,
    sandbox: Sandbox,
    objects: Callable[[Path], StorePath],
    tmp_path: Path,
) -> None:
    """In an object store, all workers see the same files."""
    records, output = rows("thymia", COUNT), objects(tmp_path / "run")
    attempt("thymia", spoilt(records), max_rejected=0, output=output)
    store.max_tries = 1

    green = attempt("thymia", records, max_rejected=0, output=output)

    assert counts(green) == (COUNT, COUNT, 0, 0)
    assert sandbox.thymia.counts.records == COUNT


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize(("vendor", "count", "latency"), [("thymia", 600, 0.01), ("gerosense", 30_000, 0.1)])
def test_it_may_be_killed_again_and_again(
    vendor: str,
    count: int,
    latency: float,
    kills: int,
    killer: Callable[..., Any],
    attempt: Attempt,
    rows: Rows,
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Killed at random instants after it was cleared: all arrives, and twice at most what was in flight."""
    records, output, chance = rows(vendor, count), tmp_path / "run", random.Random(vendor)
    faulty = tuple(range(0, count, 2))
    source = tmp_path / "spoilt.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in spoilt(records, faulty)))
    attempt(vendor, str(source), max_rejected=0, store=FileStore(output, 0))
    delivery = killer(vendor, count, latency=latency, max_in_flight=2, max_tries=1, max_rejected=0)
    delivery.attempts = 1

    while not delivery.attempt(chance.uniform(0.001, 0.4) if delivery.kills < kills else None):
        pass

    report, arrived = delivery.reports[-1], sandbox.vendors[vendor].counts
    assert (report.read, report.delivered, report.rejected) == (count, count, 0)
    assert arrived.distinct == count
    assert arrived.records - count <= delivery.in_flight
    assert report.resent >= arrived.records - count
