"""Tables of rows, as a vendor gets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_userdata.vendors import Table


def table_of_rows(names: tuple[str, ...], rows: Sequence[Sequence[Any]], *, texts: bool = False) -> Table:
    """Make a table of rows; each has a value for each name."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return Table(names, columns, len(rows), texts)
