"""Tables in Excel's form: what is written comes back as the same texts, also what looks like something else."""

from __future__ import annotations

import sys
from datetime import date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading import Header, TextRow
from airflow_provider_userdata.errors import ArgumentError, SourceError
from airflow_provider_userdata.sources import Corrections, RejectsSource, XlsxError, XlsxWriter
from airflow_provider_userdata.sources.xlsx import xlsx_sheets
from tests.sources.test_rejects import rows, write

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LIKE_OTHERS = st.sampled_from(
    ["000046", "1E5", "=1+2", "#N/A", "TRUE", "2025-05-26", " x ", "_x0041_", "_x000D", "\r\n"]
)


def read_back(table: list[list[str]], folder: Path) -> list[list[str]]:
    """Write rows, and read them."""
    writer = XlsxWriter(table[0])
    for row in table[1:]:
        writer.write(row)
    with (folder / "table.xlsx").open("wb") as file:
        writer.save(file)
    (found,) = xlsx_sheets(folder / "table.xlsx")
    return [row + [""] * (len(table[0]) - len(row)) for row in found]


@given(st.lists(st.lists(TEXTS | LIKE_OTHERS, min_size=3, max_size=3), max_size=4))
def test_texts_come_back_as_they_were(table: list[list[str]]) -> None:
    """Whatever they look like: numbers, formulas, errors, control characters."""
    whole = [["a", "b", "c"], *table]
    with TemporaryDirectory() as name:
        assert read_back(whole, Path(name)) == whole


def test_all_cells_are_texts_for_excel(tmp_path: Path) -> None:
    """Also the empty ones, which somebody may fill with a number that begins with zeros."""
    read_back([["id"], ["000046"], [""], ["=1+2"]], tmp_path)
    (sheet,) = openpyxl.load_workbook(tmp_path / "table.xlsx").worksheets
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    assert [(row[0].data_type, row[0].value) for row in sheet.iter_rows(min_row=2)] == [
        ("s", "000046"), ("n", None), ("s", "=1+2"),
    ]  # fmt: skip


def test_what_people_typed_as_other_kinds_is_read_as_text(tmp_path: Path) -> None:
    """Numbers, dates and yes or no, as they would stand in JSON."""
    book = openpyxl.Workbook()
    book.active.append([46, 46.0, 1.5, True, datetime(2025, 5, 26), datetime(2025, 5, 26, 10, 30), None])
    book.active.append([date(2025, 5, 26), time(10, 30), 1234567890123456, "x"])
    book.save(tmp_path / "typed.xlsx")

    (first, second), *_ = xlsx_sheets(tmp_path / "typed.xlsx")

    assert first[:6] == ["46", "46", "1.5", "true", "2025-05-26", "2025-05-26T10:30:00"]
    assert second[:4] == ["2025-05-26", "10:30:00", "1234567890123456", "x"]


def test_corrections_may_stand_in_any_sheet(tmp_path: Path) -> None:
    """The one that has the positions counts; the file's name doesn't."""
    book = openpyxl.Workbook()
    book.active.append(["notes of somebody's"])
    sheet = book.create_sheet()
    for row in (["id", "note", "userdata: position"], ["000046", "new", 0]):
        sheet.append(row)
    book.save(tmp_path / "fix.xlsx")
    (tmp_path / "fix.xlsx").rename(tmp_path / "fix.tmp")
    records = [TextRow(Header(("id", "note")), ["000046", "old"])]

    found = rows(RejectsSource(write(tmp_path, records), fix=Corrections(tmp_path / "fix.tmp")))

    assert found == [{"id": "000046", "note": "new"}]


@pytest.mark.parametrize("content", [b"", b"id;x", b"PK\x03\x04 torn"])
def test_a_file_that_is_not_excels_is_said(content: bytes, tmp_path: Path) -> None:
    """Before anything is sent."""
    (tmp_path / "fix.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match="not an Excel file"):
        rows(RejectsSource(write(tmp_path, [{"a": 1}]), fix=Corrections(tmp_path / "fix.xlsx")))


def test_what_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many rows, or a text that would be cut in the middle of a character."""
    monkeypatch.setattr("airflow_provider_userdata.sources.xlsx.MOST_ROWS", 2)
    writer = XlsxWriter(["a"])
    with pytest.raises(XlsxError, match="control characters"):
        writer.write(["\x01" * 10_000])
    with pytest.raises(XlsxError, match="2 rows at most"):
        writer.write(["x"])
    writer.discard()


def test_without_the_library_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra of the package's."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ArgumentError, match=r"pip install 'airflow-provider-userdata\[excel\]', or use a CSV"):
        XlsxWriter(["a"])
