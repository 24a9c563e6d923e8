"""How commands speak: errors in one line, and tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from airflow_provider_userdata.errors import UserdataError


@contextmanager
def said() -> Iterator[None]:
    """Turn an error of this package into one line and an exit code."""
    # A command has Airflow's database; without this, Airflow 3 looks for connections in the environment only.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        yield
    except UserdataError as error:
        sys.exit(f"userdata: {error}")


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows, which have the same columns, as a table."""
    cells = [["" if value is None else printable(str(value)) for value in row.values()] for row in rows]
    lines = [list(rows[0]), *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def printable(text: str) -> str:
    """Replace what would not be shown, or would change how a terminal shows the rest."""
    return "".join(character if character.isprintable() else "?" for character in text)
