"""A finished run's source is read again, and its receipts say what of it was delivered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.adopting import PastRun, Standing, proofs_of, read_again
from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.delivery.recording import StorePath
from airflow_provider_userdata.delivery.resuming import Completed, decoded
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.errors import ResumeError, SourceBrokeError, SourceChangedError, UserdataError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Constant, RejectsSource, Timestamp, open_source
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers
from tests.delivery.conftest import VENDORS
from tests.delivery.replaying.conftest import again, right, wrong
from tests.delivery.resuming.conftest import attempt, objects, store
from tests.doubles import Chunks, MemoryStore

__all__ = ["again", "attempt", "objects", "store"]

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Look = Callable[..., dict[str, list[int]]]
COUNT = 60
BAD = (0, 7, 8, 59)


@pytest.fixture
def look(store: MemoryStore, tmp_path: Path) -> Look:
    """Read a run's source again, and give the positions by how they stand: ``look("thymia", rows)``."""

    def found(vendor: Any, source: Any, *, fields: Any = None, folder: Any = None) -> dict[str, list[int]]:
        completed = decoded(store.load())
        assert isinstance(completed, Completed)
        proofs = proofs_of(completed, folder or tmp_path / "run")
        contract = VENDORS[vendor] if isinstance(vendor, str) else vendor
        opened = source if hasattr(source, "chunks") else open_source(source)
        run = PastRun(contract, None if fields is None else FieldMap(fields), opened, completed, proofs)
        places: dict[str, list[int]] = defaultdict(list)
        for piece in read_again(run):
            places[piece.standing.value] += [record.position for record in piece.records]
            places["corrected"] += range(piece.unfit)
        return {name: sorted(value) for name, value in places.items() if value}

    return found


def all_but(*places: int, count: int = COUNT) -> list[int]:
    """Give the positions of a source, without some."""
    return [place for place in range(count) if place not in places]


def other(record: dict[str, Any]) -> dict[str, Any]:
    """Change a record, so that it stays valid."""
    return {**record, "data": {"note": "other"}} if "data" in record else {**record, "plan": "other"}


@pytest.mark.parametrize("size", [1, 7, 20, 1000])
@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_what_receipts_prove(vendor: str, size: int, attempt: Attempt, rows: Rows, look: Look) -> None:
    """All but the rejects, in chunks of whatever size; the rows that follow are new."""
    records = wrong(rows(vendor, COUNT), BAD)
    attempt(vendor, Chunks(records, 20), max_rejected=9)

    assert look(vendor, Chunks([*records, {"new": 1}], size)) == {"delivered": all_but(*BAD)}


def test_rejects_may_be_corrected_since(attempt: Attempt, rows: Rows, look: Look) -> None:
    """Only what was delivered must be as it was; that goes for a green run, too."""
    records = rows("thymia", COUNT)
    attempt("thymia", wrong(records, BAD), max_rejected=9)

    assert look("thymia", records) == {"delivered": all_but(*BAD)}


@pytest.mark.parametrize("change", ["a row", "the order", "a row less", "a row in front", "another reject"])
def test_a_changed_source_is_refused(change: str, attempt: Attempt, rows: Rows, look: Look) -> None:
    """Nothing tells then which rows were delivered."""
    records = wrong(rows("thymia", COUNT), BAD)
    attempt("thymia", records, max_rejected=9)
    changed = {
        "a row": [other(records[1]) if place == 1 else record for place, record in enumerate(records)],
        "the order": [*records[:20], records[21], records[20], *records[22:]],
        "a row less": records[:-1],
        "a row in front": [rows("thymia", 1, 99)[0], *records],
        "another reject": [{"right": record} if place == 30 else record for place, record in enumerate(records)],
    }[change]

    with pytest.raises(SourceChangedError, match="are not those that the run read"):
        look("thymia", changed)


def test_a_source_that_breaks_is_refused(attempt: Attempt, rows: Rows, look: Look) -> None:
    """Whatever it raises, and without its words."""
    records = rows("thymia", 5)
    attempt("thymia", records)

    def broken() -> Any:
        yield records[0]
        raise SystemExit("geheim")

    with pytest.raises((SourceBrokeError, UserdataError)) as error:
        look("thymia", broken)
    assert "geheim" not in str(error.value)


def test_a_task_that_takes_other_columns_now_is_refused(attempt: Attempt, look: Look, tmp_path: Path) -> None:
    """What was delivered would be rejected: `fields` is not what it was."""
    path = tmp_path / "steps.csv"
    lines = [f"ring,2024-05-01 08:00:0{number},{number + 1}" for number in range(9)]
    path.write_text("\n".join(["dev,at,n", *lines]))
    at = Timestamp("at", "%Y-%m-%d %H:%M:%S", "Asia/Tokyo")
    fields = {"device_name": "dev", "start_date": at, "unit": Constant("count"), "value": "n"}
    attempt("gerosense", open_source(str(path)), fields=fields)

    assert look("gerosense", str(path), fields=fields) == {"delivered": list(range(9))}
    with pytest.raises(SourceChangedError, match="position 0 was delivered, and the task would reject it now"):
        look("gerosense", str(path), fields={**fields, "start_date": "at"})


def test_all_attempts_count(attempt: Attempt, rows: Rows, store: MemoryStore, look: Look, sandbox: Sandbox) -> None:
    """What a retry delivered, and what was delivered once the task was cleared."""
    records = rows("thymia", COUNT)
    sandbox.thymia.script("ok x5", "503 x99")
    attempt("thymia", wrong(records, BAD), max_rejected=0, patience=Patience(max_attempts=1))
    sandbox.thymia.clear_faults()
    attempt("thymia", wrong(records, BAD), max_rejected=0)
    store.max_tries = 1
    attempt("thymia", wrong(records, BAD[:2]), max_rejected=0)

    assert look("thymia", wrong(records, BAD[:1])) == {"delivered": all_but(*BAD[:2])}


def test_a_run_that_was_sent_whole_again_counts_as_it_was_read_last(
    attempt: Attempt, rows: Rows, look: Look, tmp_path: Path
) -> None:
    """The receipts of what was read before are about other positions."""
    attempt("thymia", rows("thymia", COUNT))
    attempt("thymia", rows("thymia", 5, 100), resume=False)

    assert look("thymia", rows("thymia", 5, 100)) == {"delivered": list(range(5))}
    with pytest.raises(SourceChangedError):
        look("thymia", rows("thymia", COUNT))


def test_what_nobody_answered_is_unknown(attempt: Attempt, rows: Rows, look: Look, sandbox: Sandbox) -> None:
    """And what was sent twice in doubt, delivered, but maybe twice."""
    sandbox.thymia.script("202", "cut after accepting")
    attempt("thymia", rows("thymia", 5), max_in_flight=1)

    assert look("thymia", rows("thymia", 5)) == {"unknown": [0], "twice": [1], "delivered": [2, 3, 4]}


@pytest.mark.parametrize("users", [False, True])
def test_samples_that_were_carried_in_come_first(
    users: bool, attempt: Attempt, rows: Rows, store: MemoryStore, look: Look, tmp_path: Path
) -> None:
    """Their lines stay beside the run, also where it is green; those that it held itself are not delivered."""
    vendor: Any = GeroSenseUsers(GeroSense("steps")) if users else GeroSense("steps")
    records = [{**row, **({"user_id": "ann"} if users else {})} for row in rows("gerosense", 5)]
    named = [{**row, "user_id": "bob"} for row in rows("gerosense", 1, 9)] if users else []

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run)

    def renamed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**{name: row[name] for name in row if name != "device_name"}, "dev": row["device_name"]} for row in rows
        ]

    names = {"start_date", "unit", "value", *(["user_id"] if users else [])}
    fields = {"device_name": "dev", **{name: name for name in names}}
    before, source = renamed(records[:2]), renamed([*records[2:], *named])
    attempt(vendor, before, fields=fields, held=held("monday"), output=tmp_path / "monday", store=MemoryStore())
    attempt(vendor, source, fields=fields, held=held("tuesday"))

    assert look(vendor, source, fields=fields) == {"delivered": [0, 1, 2, 3, 4]}
    (originals,) = (tmp_path / "run").glob("originals-*")
    originals.unlink()
    with pytest.raises(ResumeError, match="first 2 records are from an earlier run"):
        look(vendor, source, fields=fields)


def test_what_a_replay_delivered_counts_if_it_is_known(
    attempt: Attempt, rows: Rows, look: Look, again: Attempt, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A record that was refused, and went unchanged, is; one that was corrected on the way may be anything."""
    records = wrong(rows("thymia", COUNT), (5,))
    sandbox.thymia.script("422")
    attempt("thymia", records, max_in_flight=1, max_rejected=9)
    rejects = RejectsSource(tmp_path / "run", fix=lambda record: right(record) if "right" in record else record)
    assert again("thymia", rejects).report.delivered == 2

    assert look("thymia", records) == {"replayed": [0], "corrected": [0], "delivered": all_but(0, 5)}
    corrected = [other(records[0]), *records[1:]]
    assert look("thymia", corrected) == {"corrected": [0, 1], "delivered": all_but(0, 5)}


def test_what_a_replay_sent_before_the_end_counts(
    attempt: Attempt, rows: Rows, look: Look, again: Attempt, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The run was halted, a replay sent some of what it held, and a retry the others."""
    records = rows("thymia", COUNT)
    sandbox.thymia.script("ok x5", "503 x99")
    attempt("thymia", records, max_in_flight=1, patience=Patience(max_attempts=1))
    sandbox.thymia.clear_faults()
    assert again("thymia", RejectsSource(tmp_path / "run", limit=10)).report.delivered == 10
    attempt("thymia", records)

    found = look("thymia", records)
    assert (len(found["replayed"]), sorted([*found["replayed"], *found["delivered"]])) == (10, list(range(COUNT)))


@pytest.mark.parametrize("what", ["removed", "truncated", "one of two"])
def test_without_its_receipts_nothing_is_proven(
    what: str, attempt: Attempt, rows: Rows, store: MemoryStore, look: Look, tmp_path: Path
) -> None:
    """The command says so, and what happens then."""
    records = rows("thymia", COUNT)
    attempt("thymia", wrong(records, BAD), max_rejected=0)
    store.max_tries = 1
    attempt("thymia", records, max_rejected=0)
    first, second = sorted((tmp_path / "run").glob("receipts-*"))
    if what == "removed":
        first.unlink()
        second.unlink()
    elif what == "truncated":
        first.write_bytes(first.read_bytes()[:-20])
    else:
        second.unlink()

    with pytest.raises(ResumeError, match=r"receipts in .* were removed.*sends its records again"):
        look("thymia", records)


def test_in_an_object_store(
    attempt: Attempt, rows: Rows, look: Look, objects: Callable[[Path], StorePath], tmp_path: Path
) -> None:
    """Files are in parts there; missing ones show in the counts."""
    records, output = wrong(rows("thymia", COUNT), BAD), objects(tmp_path / "run")
    attempt("thymia", records, max_rejected=9, output=output)

    assert look("thymia", records, folder=output) == {"delivered": all_but(*BAD)}
    for part in (tmp_path / "run").glob("receipts-*"):
        part.unlink()
    with pytest.raises(ResumeError, match="prove 0 deliveries, and the run counted 56"):
        look("thymia", records, folder=output)


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_files_are_read_in_their_own_form(kind: str, attempt: Attempt, look: Look, tmp_path: Path) -> None:
    """Also where some of their rows are corrected."""
    users = [{"user_id": f"p{number}" if number != 3 else "", "mood": str(number)} for number in range(30)]

    def written(name: str, rows: list[dict[str, str]]) -> str:
        path = tmp_path / f"{name}.{kind}"
        if kind == "parquet":
            arrow = pytest.importorskip("pyarrow")
            pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(rows), path)
        elif kind == "json":
            path.write_text(json.dumps(rows))
        else:
            path.write_text("\n".join(["user_id,mood", *(f"{row['user_id']},{row['mood']}" for row in rows)]))
        return str(path)

    attempt("ptengine", open_source(written("a", users)), max_rejected=9)

    assert look("ptengine", written("a", users)) == {"delivered": all_but(3, count=30)}
    users[3]["user_id"] = "p3"
    assert look("ptengine", written("b", users)) == {"delivered": all_but(3, count=30)}
    users[4]["mood"] = "changed"
    with pytest.raises(SourceChangedError):
        look("ptengine", written("c", users))


def test_a_run_without_records(attempt: Attempt, look: Look) -> None:
    """There is nothing to prove, and nothing to read."""
    attempt("thymia", [])
    assert look("thymia", []) == {}
    assert Standing.DELIVERED.value == "delivered"
