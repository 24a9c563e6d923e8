"""What somebody edits in a table of rejects becomes the records that are sent again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_userdata.delivery.reading import Header, TextRow, Unreadable
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import Corrections, RejectsSource, Surroundings, fields_of, mark_of, open_source
from tests.sources.test_rejects import rows, write


def corrected(folder: Path, records: list[Any], table: str, reformatted: Any = "refuse") -> list[Any]:
    """Write rejects and their edited table, and read what would be sent."""
    (folder / "fix.csv").write_text(table, newline="")
    fix = Corrections(folder / "fix.csv", reformatted=reformatted)
    return rows(RejectsSource(write(folder, records), fix=fix))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_typed_values_keep_their_types(mark: str, tmp_path: Path) -> None:
    """A cell that nobody touched is the value itself; one that was changed is of the kind that it says."""
    exact = Decimal("1.10")
    record = {"n": 1, "x": exact, "t": "7", "none": None, "list": [1], "gone": 5, "new": "a"}
    head = mark.join([*record, "more", "userdata: position"])
    cells = ["2", '"{""$decimal"": ""1.10""}"', "8", "", "[1]", "", "a b", "6", "0"]

    (row,) = corrected(tmp_path, [record], f"\ufeff{head}\r\n{mark.join(cells)}\r\n")

    assert row == {**record, "n": 2, "t": "8", "gone": None, "new": "a b", "more": 6}
    assert row["x"] is not None
    assert type(row["x"]) is Decimal


def test_cells_stay_cells_and_rows_may_be_removed(tmp_path: Path) -> None:
    """A row of a CSV has texts without types, before and after; what isn't in the table isn't sent."""
    header = Header(("a", "n"))
    records = [TextRow(header, ["x", "1"]), TextRow(header, ["y", "2"])]

    (row,) = corrected(tmp_path, records, "a,n,userdata: position\nz,3.0,1\n")

    assert (type(row).__name__, row) == ("TextRecord", {"a": "z", "n": "3.0"})


def test_a_line_that_was_no_record_becomes_one(tmp_path: Path) -> None:
    """By its JSON, or by the cells of the others; one that nobody touched stays what it is."""
    table = '$text,user_id,userdata: position\n"{""user_id"": ""a""}",,0\n{broken,b,1\n{left,,2\n'

    found = corrected(tmp_path, [b"{torn", b"{broken", b"{left"], table)

    assert found == [{"user_id": "a"}, {"user_id": "b"}, "{left"]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"a,b\n1,2\n", "without --records-only"),
        (b"a,userdata: position\n1,\n", "no position in row 2"),
        (b"a,userdata: position\n\xff,1\n", "not UTF-8"),
        (b"b,userdata: position\n1,0\n", "lost the column 'a' and has a new one 'b'"),
        (b"userdata: position\n0\n", "lost the column 'a'\\. "),
        (b"a,a,userdata: position\n1,2,0\n", "the column 'a' twice"),
        (b"a,userdata: position\n1,0,3\n", "has 3 cells in row 2 where the header has 2"),
        (b"a,userdata: position\n1,0\n\n2,0\n", "the record of row 2 again in row 4"),
        (b'a,userdata: position\n1\r\r2,0\n"', "can't be used"),
        (None, "can't be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_said(table: bytes | None, says: str, tmp_path: Path) -> None:
    """Before anything is sent of it."""
    if table is not None:
        (tmp_path / "fix.csv").write_bytes(table)
    with pytest.raises(SourceError, match=says):
        rows(RejectsSource(write(tmp_path, [{"a": 1}]), fix=Corrections(tmp_path / "fix.csv")))


DAMAGED = "id,day,n,userdata: position\n46,26.05.2025,7.0,0\n"
SENT = {
    "original": {"id": "000046", "day": "2025-05-26", "n": "7.0"},
    "table": {"id": "46", "day": "26.05.2025", "n": "7.0"},
}


@pytest.mark.parametrize("choice", ["original", "table"])
def test_values_that_only_lost_their_form_need_a_word(choice: str, tmp_path: Path) -> None:
    """Without it, nothing of the table is sent, and the message has columns and rows, no values."""
    records = [TextRow(Header(("id", "day", "n")), ["000046", "2025-05-26", "x"])]

    with pytest.raises(SourceError, match="id: leading zeros are gone") as refused:
        corrected(tmp_path, records, DAMAGED)

    assert "day: the date is written in another way (row 2)" in str(refused.value)
    assert "Corrections(…, reformatted='original')" in str(refused.value)
    assert "--reformatted" not in str(refused.value)
    assert "46" not in str(refused.value)
    assert corrected(tmp_path, records, DAMAGED, choice) == [SENT[choice]]


def test_a_later_row_keeps_the_first_from_being_sent(tmp_path: Path) -> None:
    """The whole table is compared before the first record is given."""
    records = [{"id": f"{number:06d}"} for number in range(2000)]
    table = "".join(f"{number:06d},{number}\n" for number in range(1999))
    (tmp_path / "fix.csv").write_text(f"id,userdata: position\n{table}1999,1999\n")
    source = RejectsSource(write(tmp_path, records), fix=Corrections(tmp_path / "fix.csv"))

    with pytest.raises(SourceError, match="row 2001"):
        next(open_source(source, of=Surroundings(Replay("run", "1-x"), None)).chunks())


def test_other_choices_are_refused(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(SourceError, match="reformatted must be one of 'refuse'"):
        corrected(tmp_path, [{"a": 1}], "a,userdata: position\n1,0\n", "keep")


def test_what_a_table_changes_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By column and kind of change, with rows as spreadsheets count them; a removed row, too."""
    records = [{"id": "", "note": "old"}, {"id": "b", "note": "old"}, {"id": "c", "note": "old"}]
    (tmp_path / "fix.csv").write_text('id,note,userdata: position\na,"new\nlines",0\n\nother,new,1\n')
    fix = Corrections(tmp_path / "fix.csv")
    caplog.set_level("INFO")

    rows(RejectsSource(write(tmp_path, records), fix=fix))

    assert fix.changes is not None
    found = [(one.column, one.filled, one.count, one.rows) for one in fix.changes]
    assert found == [("id", True, 1, "row 2"), ("note", False, 2, "rows 2, 4"), ("id", False, 1, "row 4")]
    assert (fix.changes.compared, fix.changes.removed) == (2, 1)
    assert "fix.csv changes id in 2 rows, note in 2 rows; 1 records have no row in it" in caplog.text


def test_line_ends_within_cells_are_no_change(tmp_path: Path) -> None:
    """Nor are characters that only Python takes for line ends."""
    records = [{"id": "a", "note": "one\r\ntwo\u2028three"}]
    table = 'id,note,userdata: position\na,"one\r\ntwo\u2028three",0\n'

    assert corrected(tmp_path, records, table) == records


MARK = "userdata: empty this once the row is right"


@pytest.mark.parametrize(
    ("row", "cells", "mark", "sent"),
    [
        (["a", "b", "", "c"], "a,b c,", "", {"id": "a", "note": "b c", "city": ""}),
        (["a", "b", "", ""], "a,b,", "", {"id": "a", "note": "b", "city": ""}),
        (["a", "b", "", "c"], "a,b c,", "too many", ["a", "b", "", "c"]),
        (["a", "b", "", "c"], "a,b,", "too many", ["a", "b", "", "c"]),
        (["a"], "a,,", "", {"id": "a", "note": "", "city": ""}),
        (["a"], "a,,", "only 1 of 3 cells", ["a"]),
        (["\udcff", "b"], '"{""$base64"": ""/w==""}",b,', "", {"id": "\udcff", "note": "b", "city": ""}),
    ],
)
def test_a_row_with_more_or_fewer_cells_is_put_right(
    row: list[str], cells: str, mark: str, sent: Any, tmp_path: Path
) -> None:
    """Once its mark is removed, it is a row as any other: with an empty text where a cell is empty."""
    header = Header(("id", "note", "city"))
    records = [Unreadable(row, "has another number of cells", header)]

    (found,) = corrected(tmp_path, records, f"id,note,city,{MARK},userdata: position\n{cells},{mark},0\n")

    if isinstance(sent, dict):
        assert (type(found).__name__, found) == ("TextRecord", sent)
    else:
        assert (found, found.header.names) == (Unreadable(sent, "is wrong"), header.names)


def test_a_function_gets_the_cells_and_the_columns(tmp_path: Path) -> None:
    """Of a row with more or fewer cells than columns."""
    records = [Unreadable(["a", "b", "c"], "has another number of cells", Header(("id", "note")))]

    def fix(record: Any, line: Any) -> Any:
        return {line.columns[0]: record[0], line.columns[1]: record[1] + record[2]}

    assert rows(RejectsSource(write(tmp_path, records), fix=fix)) == [{"id": "a", "note": "bc"}]


def test_a_table_of_another_run_is_refused(tmp_path: Path) -> None:
    """Where both have a record at the same position; a table without marks is taken."""
    first = RejectedLine(0, Fate.REJECTED, "P7", record=msgspec.Raw(b'{"id":"","note":"a"}'))
    table = "id,note,userdata: position,userdata: mark\nx,a,0,{}\n"

    assert corrected(tmp_path, [{"id": "", "note": "a"}], table.format(mark_of(first))) == [{"id": "x", "note": "a"}]
    assert corrected(tmp_path, [{"id": "", "note": "b"}], table.format("")) == [{"id": "x", "note": "a"}]
    with pytest.raises(SourceError, match="in row 2 another record than the run has there"):
        corrected(tmp_path, [{"id": "", "note": "b"}], table.format(mark_of(first)))
    assert mark_of(first).startswith("r")


def test_a_row_with_too_few_cells_has_all_columns() -> None:
    """Also where no other record has them: somebody may fill them."""
    short = RejectedLine(0, Fate.REJECTED, "A7", columns=("id", "note", "city"), record=msgspec.Raw(b'["a"]'))
    assert fields_of(short) == {"id": "a", "note": "", "city": ""}
