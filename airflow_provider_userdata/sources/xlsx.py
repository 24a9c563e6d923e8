"""Tables in Excel's own form. Their cells are texts, so that no spreadsheet takes one for a number or a date."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.sources.lost_form import LONGEST_CELL

MOST_ROWS = 1_048_576
"""Rows that a sheet may have."""
_TEXT = "@"
"""The format of cells whose text stays as it is."""
_ESCAPED = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ZERO = time()


class XlsxError(Exception):
    """Why a table can't be read or written, without content of its cells."""


class XlsxWriter:
    """Writes a table; it is kept aside until it is saved.

    :param columns: the header.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        openpyxl = _library()
        self._cell = openpyxl.cell.WriteOnlyCell
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet("rejects")
        self._sheet.freeze_panes = "A2"
        for number in range(1, len(columns) + 1):
            self._sheet.column_dimensions[openpyxl.utils.get_column_letter(number)].width = 20
        self._bold = openpyxl.styles.Font(bold=True)
        self._rows = 0
        self.write(columns, bold=True)

    def write(self, cells: Sequence[str], *, bold: bool = False) -> None:
        """Add a row.

        :raises XlsxError: if it doesn't fit.
        """
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise XlsxError(f"a sheet has {MOST_ROWS:,} rows at most; select with --rule, or write a CSV")
        self._sheet.append([self._text(text, bold=bold) for text in cells])

    def save(self, file: IO[bytes]) -> None:
        """Write the table to a file."""
        self._book.save(file)

    def discard(self) -> None:
        """Remove what was kept aside of a table that isn't wanted."""
        with suppress(Exception):
            self._book.save(BytesIO())  # the library has no other way

    def _text(self, text: str, *, bold: bool) -> Any:
        escaped = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text[:LONGEST_CELL])
        if len(escaped) > LONGEST_CELL:
            raise XlsxError(f"a text with control characters is longer than the {LONGEST_CELL:,} that a cell takes")
        cell = self._cell(self._sheet, value=escaped.encode(errors="replace").decode() or None)
        if cell.value is not None:
            cell.data_type = "s"  # also what looks like a formula or an error
        cell.number_format = _TEXT  # also of an empty cell, which somebody may fill
        if bold:
            cell.font = self._bold
        return cell


def is_xlsx(path: Path) -> bool:
    """Return whether a file is Excel's, by its name or by how it begins."""
    with path.open("rb") as file:
        return path.suffix.lower() == ".xlsx" or file.read(4) == b"PK\x03\x04"


def xlsx_sheets(path: Path) -> Iterator[list[list[str]]]:
    """Yield the rows of each sheet, as texts. Formulas are what they last came to.

    :raises XlsxError: if it is not such a table.
    """
    openpyxl = _library()
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it can't show, such as drop-down lists
            for sheet in openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets:
                sheet.reset_dimensions()  # some programs write wrong ones
                yield [[_text_of(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    except OSError:
        raise
    except Exception:  # noqa: BLE001  # what it raises for a damaged file is not documented, and may quote cells
        raise XlsxError("is not an Excel file that can be read; save it as .xlsx, or as CSV UTF-8") from None


def _text_of(value: object) -> str:
    """Return a value that a cell has now as the text that it would have been."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return (value.date() if value.time() == _ZERO else value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), str(value))


def _library() -> Any:
    """Return openpyxl.

    :raises ArgumentError: if it isn't installed.
    """
    try:
        import openpyxl
        import openpyxl.cell
        import openpyxl.styles
        import openpyxl.utils.exceptions
    except ImportError:
        raise ArgumentError(
            "Excel's files need openpyxl: pip install 'airflow-provider-userdata[excel]', or use a CSV"
        ) from None
    return openpyxl
