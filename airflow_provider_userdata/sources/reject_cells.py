"""How rejects stand in the table of `userdata rejects export`: which cell has what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from airflow_provider_userdata.delivery.recording import RejectedLine

ABOUT = "userdata: "
"""How the columns begin that are not the record's own."""
POSITION = f"{ABOUT}position"
MISFIT = f"{ABOUT}empty this once the row is right"
"""The column that marks rows with more or fewer cells than columns, until somebody has put each cell in its place."""
MARK = f"{ABOUT}mark"
"""The column that tells a record from those of other runs at the same position."""
WHOLE = "record"
"""The column of records that have no fields."""
WHOLES = (WHOLE, "$text", "$base64")
"""The columns of such records, and of lines that are not JSON."""


def cell_of(value: object) -> str:
    """Return a value as a cell: text as it is, nothing as nothing, all else as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fields_of(line: RejectedLine) -> Mapping[str, Any]:
    """Return a record's values by the columns in which they stand."""
    value = line.value()
    if isinstance(value, dict):
        return value
    if is_misfit(line):
        columns = line.columns or ()
        return dict(zip_longest(columns, value[: len(columns)], fillvalue=""))
    return {WHOLE: value}


def mark_of(line: RejectedLine) -> str:
    """Return a text that another record hardly has, and that no spreadsheet takes for a number."""
    return f"r{blake2b(bytes(line.record), digest_size=4).hexdigest()}"


def is_misfit(line: RejectedLine) -> bool:
    """Return whether a record is a row of a table with more or fewer cells than columns."""
    return line.columns is not None and isinstance(line.value(), list)


def misfit_of(line: RejectedLine) -> str:
    """Return the cell that says which cells of a row are too many; empty for a row that fits."""
    if not is_misfit(line):
        return ""
    cells, width = line.value(), len(line.columns or ())
    return f"too many: {cell_of(cells[width:])}" if len(cells) > width else f"only {len(cells)} of {width} cells"
