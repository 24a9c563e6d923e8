"""Writes the tables of `userdata rejects export`: a CSV, or a file of Excel's."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.sources import XlsxError, XlsxWriter

Write = Callable[[Sequence[str]], object]
"""Adds a row of cells."""


@contextmanager
def csv_table(name: str, columns: Sequence[str]) -> Iterator[Write]:
    """Give what adds a row to a CSV, with the mark by which spreadsheets know UTF-8.

    :param name: of the file; with `-`, it is printed.
    :raises OutputError: if it can't be written.
    """
    if name == "-":
        rows = csv.writer(sys.stdout)
        rows.writerow(columns)
        yield rows.writerow
        return
    with _opened("--csv", name, "w", encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        yield rows.writerow


@contextmanager
def xlsx_table(name: str, columns: Sequence[str]) -> Iterator[Write]:
    """Give what adds a row to a file of Excel's, whose cells are all texts.

    :raises OutputError: if it can't be written.
    """
    table = XlsxWriter(columns)
    try:
        yield table.write
        with _opened("--xlsx", name, "wb") as file:
            table.save(file)
    except XlsxError as error:
        table.discard()
        raise OutputError(f"--xlsx: {error}") from None
    except BaseException:
        table.discard()
        raise


@contextmanager
def _opened(option: str, name: str, mode: str, **how: Any) -> Iterator[IO[Any]]:
    """Open a table, which only its owner may read."""
    try:
        number = os.open(Path(name).expanduser(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(number, mode, **how) as file:
            yield file
    except OSError as error:
        raise OutputError(f"{option}: {name} can't be written: {error.strerror or type(error).__name__}") from None
