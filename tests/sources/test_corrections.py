"""What somebody edits in a table of rejects becomes the records that are sent again."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading import Header, TextRow
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import Corrections, RejectsSource
from tests.sources.test_rejects import rows, write


def corrected(folder: Path, records: list[Any], table: str) -> list[Any]:
    """Write rejects and their edited table, and read what would be sent."""
    (folder / "fix.csv").write_text(table, newline="")
    return rows(RejectsSource(write(folder, records), fix=Corrections(folder / "fix.csv")))


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
        (None, "can't be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_said(table: bytes | None, says: str, tmp_path: Path) -> None:
    """Before anything is sent of it."""
    if table is not None:
        (tmp_path / "fix.csv").write_bytes(table)
    with pytest.raises(SourceError, match=says):
        rows(RejectsSource(write(tmp_path, [{"a": 1}]), fix=Corrections(tmp_path / "fix.csv")))
