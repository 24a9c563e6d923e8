"""Rejects are read back as their source had them, from wherever they are named."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.preparing import Preparer
from airflow_provider_userdata.delivery.reading import Chunk, Header, RowFormat, TextRow, Unreadable
from airflow_provider_userdata.delivery.recording import Origins, Rejection, write_rejects
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import RejectsSource, Surroundings, open_source
from airflow_provider_userdata.vendors import Checked, Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.ptengine import Ptengine
from airflow_provider_userdata.vendors.thymia import Thymia

WHY = Rejection(Fate.REJECTED, "T5", "is wrong", "$")
VENDORS: list[Vendor] = [Thymia("mood"), GeroSense("steps"), Ptengine()]


def write(folder: Path, rows: list[Any], why: Rejection = WHY, attempt: str = "1-x") -> Path:
    """Write rejects into a folder, and give their file."""
    log = LocalLog(folder / f"rejects-{attempt}.jsonl")
    log.create()
    write_rejects(log, [(position, row, why) for position, row in enumerate(rows)], Origins())
    log.close()
    return folder / f"rejects-{attempt}.jsonl"


def chunks(source: RejectsSource, output: Any = None, own: str = "") -> list[Chunk]:
    """Read rejects."""
    return list(open_source(source, of=Surroundings(Replay("run", "1-x", own), output)).chunks())


def rows(*given: Any, **named: Any) -> list[Any]:
    """Read the rows of rejects."""
    return [row for chunk in chunks(*given, **named) for row in chunk.rows]


def checked(vendor: Vendor, chunk: Chunk) -> tuple[list[bytes], list[Any]]:
    """Give what a vendor would be sent of a chunk, and what is wrong with the rest."""
    found: Checked = Preparer(vendor, None).prepare(chunk, chunk.rows, range(len(chunk.rows)))
    return [record.body for record in found.records], [one.faults for _, one in found.invalid]


def same(one: Any, other: Any) -> bool:
    """Say whether values are equal, and of the same types throughout; NaN is the same as itself."""
    if isinstance(one, tuple):
        one = list(one)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*map(list, one.items())], [*map(list, other.items())])
    return repr(one) == repr(other)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=()))
    | st.sampled_from(["$base64", "$text", "$decimal"])
    | st.binary()
    | st.decimals()
    | st.datetimes(timezones=st.none() | st.just(UTC)).map(lambda one: one.replace(fold=0))
    | st.dates()
    | st.times().map(lambda one: one.replace(fold=0))
    | st.uuids(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=())) | st.just("$decimal") | st.integers(), inner)
    ),
    max_leaves=10,
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_values_come_back_exactly(values: list[Any]) -> None:
    """Whatever a row held: text, numbers, times, bytes, half a surrogate, a dictionary that looks like a mark."""
    wrapped: list[Any] = [{"is": value} for value in values]
    with TemporaryDirectory() as folder:
        path = write(Path(folder), wrapped)
        found: list[Any] = []

        def fix(value: Any) -> dict[str, Any]:
            found.append(value)
            return {}

        rows(RejectsSource(path, fix=fix))
    assert same(wrapped, found), (wrapped, found)


@given(st.sampled_from(VENDORS), st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), max_size=4))
def test_a_vendor_takes_them_as_it_did(vendor: Vendor, values: list[Any]) -> None:
    """What it would send, and what it finds wrong, is the same as with the source's own values."""
    values += [{"user": {"userLabel": "u"}, "data": value} for value in values]
    values += [{"user_id": f"u{number}", "value": value} for number, value in enumerate(values)]
    with TemporaryDirectory() as folder:
        again = [checked(vendor, chunk) for chunk in chunks(RejectsSource(write(Path(folder), values)))]
    before = checked(vendor, Chunk(RowFormat.OBJECTS, values)) if values else ([], [])
    sent, wrong = ([one for part in again for one in part[kind]] for kind in (0, 1))
    assert sorted(sent) == sorted(before[0])
    assert len(wrong) == len(before[1])


@given(st.lists(st.binary(max_size=30).filter(lambda text: b"\n" not in text and b"\r" not in text), max_size=4))
def test_lines_come_back_as_they_stood(lines: list[bytes]) -> None:
    """A file's line, also one that is no JSON, is the same bytes."""
    with TemporaryDirectory() as folder:
        assert rows(RejectsSource(write(Path(folder), [line + b"\n" for line in lines]))) == lines


@given(st.lists(st.binary(max_size=9), min_size=2, max_size=2))
def test_cells_come_back_as_cells(cells: list[bytes]) -> None:
    """A CSV's cells are texts without types, also those that are not UTF-8."""
    texts = [cell.decode(errors="surrogateescape") for cell in cells]
    with TemporaryDirectory() as folder:
        (row,) = rows(RejectsSource(write(Path(folder), [TextRow(Header(("a", "$b")), texts)])))
        (alone,) = rows(RejectsSource(write(Path(folder) / "x", [TextRow(Header(("$time",)), texts[:1])])))
    assert (type(row).__name__, row) == ("TextRecord", {"a": texts[0], "$b": texts[1]})
    assert alone == {"$time": texts[0]}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (pd.NaT, None),
        (np.datetime64("NaT"), None),
        (np.datetime64("2026-01-02T03:04:05.123456789"), "2026-01-02T03:04:05.123456789"),
        (pd.Timestamp("2026-01-02T03:04:05.123456789"), "2026-01-02T03:04:05.123456789"),
        (np.int64(5), 5),
        ({1, 2}, {1, 2}),
        (datetime(2026, 1, 2), datetime(2026, 1, 2)),
        (date(2026, 1, 2), date(2026, 1, 2)),
        (time(3), time(3)),
        pytest.param(16**5000, 16**5000, id="large"),
        (Decimal("1.10"), Decimal("1.10")),
        (UUID(int=1), UUID(int=1)),
    ],
)
def test_values_of_other_types(value: Any, found: Any, tmp_path: Path) -> None:
    """They come back as what a vendor's check takes them for."""
    (row,) = rows(RejectsSource(write(tmp_path, [{"a": value, "b": b""}])))

    assert row == {"a": found, "b": b""}


@pytest.mark.parametrize("value", [1 + 2j, object(), np.timedelta64(5, "s")])
def test_what_was_not_kept_is_not_sent(value: Any, tmp_path: Path) -> None:
    """An object of a class of its own is only described in its line: it is rejected again."""
    (row,) = rows(RejectsSource(write(tmp_path, [{"user": {"userLabel": "u"}, "data": {"a": value}}])))

    assert type(row) is Unreadable
    assert checked(Thymia("mood"), Chunk(RowFormat.OBJECTS, [row]))[0] == []


Named = Callable[[Path], tuple[Any, set[str]]]
PLACES: dict[str, Named] = {
    "a file": lambda root: (root / "d/r1/t/rejects-1-x.jsonl", {"r1"}),
    "text": lambda root: (f"{root}/d/r1/t/rejects-1-x.jsonl", {"r1"}),
    "a glob of files": lambda root: (f"{root}/d/*/t/rejects-*.jsonl", {"r1", "r2"}),
    "a folder": lambda root: (root / "d/r2/t", {"r2"}),
    "a folder above": lambda root: (root / "d", {"r1", "r2", "m0", "m1"}),
    "a glob of folders": lambda root: (f"{root}/d/r?/t", {"r1", "r2"}),
    "a list": lambda root: ([root / "d/r1/t", f"{root}/d/r2/*", root / "d/r1/t/rejects-1-x.jsonl"], {"r1", "r2"}),
    "a folder without any": lambda root: (root / "empty", set()),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make the output of runs, of a plain task and of a mapped one."""
    for age, (place, name) in enumerate({"r3/m/1": "m1", "r3/m/0": "m0", "r2/t": "r2", "r1/t": "r1"}.items(), start=1):
        path = write(tmp_path / "d" / place, [{"is": name}])
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "d/r2/t/receipts-1-x.jsonl").touch()
    os.utime(tmp_path / "d/r2/t/receipts-1-x.jsonl", (1e9, 1e9))
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("named", PLACES)
def test_places(named: str, root: Path) -> None:
    """Files and folders, one or many, each file once."""
    path, wanted = PLACES[named](root)

    found = [row["is"] for row in rows(RejectsSource(path, fix=lambda record: record))]

    assert (set(found), len(found)) == (wanted, len(wanted))


@pytest.mark.parametrize(
    ("run", "wanted"), [(("d", "t"), {"r2"}), (("d", "t", "r1"), {"r1"}), (["d", "m"], {"m0", "m1"})]
)
def test_the_run_of_a_task(run: Any, wanted: set[str], root: Path) -> None:
    """Without a run's id, the one that wrote last, and of a mapped task all instances; never the run that reads."""
    own = {"own": str(root / "d/r1/t")} if len(run) < 3 else {}
    for source in (RejectsSource(run=run, output_path=root), RejectsSource(run=run, output_path=str(root))):
        found = [row["is"] for row in rows(_with_fix(source), **own)]
        assert set(found) == wanted
    assert {row["is"] for row in rows(_with_fix(RejectsSource(run=run)), root, **own)} == wanted


def test_one_instance_of_a_mapped_task(root: Path) -> None:
    """In the run where it wrote last."""
    source = RejectsSource(run=("d", "m"), map_index=1, output_path=root)
    assert [row["is"] for row in rows(_with_fix(source))] == ["m1"]


def _with_fix(source: RejectsSource) -> RejectsSource:
    source.fix = lambda record: record
    return source


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (RejectsSource(), "path or run"),
        (RejectsSource("x", run=("d", "t")), "path or run"),
        (RejectsSource(5), "path must be"),
        (RejectsSource(run="d"), "run must be"),
        (RejectsSource(run=("d",)), "run must be"),
        (RejectsSource("x", fates=("delivered",)), "fates must be"),
        (RejectsSource("x", fates=()), "fates must be"),
        (RejectsSource("x", rules=5), "rules must be"),  # type: ignore[arg-type]
        (RejectsSource("x", limit=0), "limit must be"),
        (RejectsSource("x", limit=True), "limit must be"),
        (RejectsSource("x", fix="x"), "fix must be"),  # type: ignore[arg-type]
        (RejectsSource("nowhere/rejects-*.jsonl"), "no file matches"),
        (RejectsSource(__file__), "is not a rejects file"),
        (RejectsSource(run=("d", "t"), output_path="/nowhere"), "nothing of a run of task 't'"),
        (RejectsSource(run=("d", "t", "r"), output_path="/nowhere"), "nothing of run 'r'"),
        (RejectsSource(run=("d", "m"), map_index=7, output_path="/nowhere"), "nothing of map index 7 of a run"),
        (RejectsSource("x", map_index=0), "map_index must be"),
        (RejectsSource(run=("d", "m"), map_index=-1), "map_index must be"),
    ],
)
def test_mistakes_are_named(source: RejectsSource, says: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SourceError, match=says):
        rows(source)


def test_a_run_that_may_be_meant_is_named(root: Path) -> None:
    """Where the one that is asked for isn't there."""
    with pytest.raises(SourceError, match=r"nothing of run 'r11' .* Did you mean 'r1'\?"):
        rows(RejectsSource(run=("d", "t", "r11"), output_path=root))


def test_damaged_lines_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are counted; one that is being written is not."""
    path = write(tmp_path, [{"a": 1}])
    path.write_bytes(b'{"position": "x"}\n' + path.read_bytes() + b'{"position": 5, "fa')

    assert rows(RejectsSource(path)) == [b'{"a":1}']
    assert "1 damaged" in caplog.text


def test_it_shows_no_record_and_no_address() -> None:
    """Airflow shows and stores what a source's `repr` says: it must be the same in each process."""
    source = RejectsSource(run=("d", "t"), rules=["G5"], fix=_with_fix)

    assert repr(source) == "RejectsSource(run=('d', 't'), rules=['G5'], fates=('rejected', 'held'), fix=_with_fix)"
