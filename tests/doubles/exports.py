"""Files and tables as people's exports are: records with odd values, in every kind of source."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Rows = Sequence[dict[str, Any]]
TABLE = "records"
"""The table of a database."""
_RAW = "raw:"
"""Begins a text that is written into JSON as it is."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -0.0, 7, -1, 0.5, 1e-7, 2**53 + 1, 2**63, 10**40, float("inf"), float("nan"), ["a"], [], {},
    {"a": 1}, f"{_RAW}1e400", f"{_RAW}1.0000000000000000000001", f"{_RAW}-0",
    "", " ", "\u00a0", "\ufeff", "free", "x" * 128, "x" * 129, "é" * 129, "🦀" * 65, "x" * 5000, "\ud83d", "\x00",
    "a\nb", 'he said "so"', "=1+1", "a,b;c\td", "{{ 7*7 }}", "null", "None", "NaN", "nan", "1e400", "Infinity", "TRUE",
    "12", "012", "+12", "12.0", "1,5", "1_000", "0x10", "\uff11\uff12", " 12", "12 ",
    "2024-05-01T08:00:00Z", "2024-05-01T08:00:00.123456789+09:00", "2024-05-01 08:00:00", "2024-05-01",
    "1984-02-30T00:00Z", "01.05.2024 08:00", "5/1/2024 8:00 AM", "20240501T080000Z", "2024-W18-3", "1714550400",
    1714550400, 1714550400123, "alice@example.com", "+81 90-1234-5678", "85b4453a-46de-484c-bbc2-12666ebc7ed9",
)  # fmt: skip


def spoiled(chance: random.Random, records: Rows) -> list[dict[str, Any]]:
    """Return records of which every second has another value, a field more or less, or is there twice."""
    changed: list[dict[str, Any]] = []
    for record in records:
        name = chance.choice([*record, "extra"])
        match chance.randrange(8):
            case 0:
                changed.append({key: value for key, value in record.items() if key != name})
            case 1 | 2 | 3:
                changed.append({**record, name: chance.choice(ODD)})
            case 4 if changed:
                changed.append({**changed[-1], name: record.get(name)})
            case _:
                changed.append(record)
    return changed


def write_json_lines(folder: Path, rows: Rows) -> Path:
    """Write a line for each record, with a byte order mark, blank lines, and lines that are not JSON."""
    lines = [_json(row) for row in rows]
    lines[5:5] = ["", "{", "[1]", '"text"', "\ud83d", "{} {}", "  "]
    return _written(folder / "records.jsonl", "\ufeff" + "\r\n".join(lines) + "\n")


def write_json(folder: Path, rows: Rows) -> Path:
    """Write one array."""
    return _written(folder / "records.json", f"[{', '.join(map(_json, rows))}]")


def write_csv(folder: Path, rows: Rows) -> Path:
    """Write a table as a spreadsheet does, with a byte order mark."""
    return _written(folder / "records.csv", "\ufeff" + _table(rows, ",", "\r\n"))


def write_tsv(folder: Path, rows: Rows) -> Path:
    """Write a table with tabs."""
    return _written(folder / "records.tsv", _table(rows, "\t", "\n"))


def write_gz(folder: Path, rows: Rows) -> Path:
    """Write compressed JSON Lines."""
    return _compressed(write_json_lines(folder, rows))


def write_csv_gz(folder: Path, rows: Rows) -> Path:
    """Write a compressed table."""
    return _compressed(write_csv(folder, rows))


def write_several(folder: Path, rows: Rows) -> Path:
    """Write two tables with different columns, for a glob."""
    half = len(rows) // 2
    _written(folder / "a.csv", _table(rows[:half], ",", "\n"))
    _written(folder / "b.csv", _table([dict(reversed(row.items())) for row in rows[half:]], ",", "\n"))
    return folder / "*.csv"


def write_parquet(folder: Path, rows: Rows) -> Path:
    """Write columns, each of the type that its values share, or else as text."""
    import pyarrow as pa
    from pyarrow import parquet

    def column(values: list[Any]) -> Any:
        with contextlib.suppress(pa.ArrowException, ValueError, OverflowError):
            return pa.array(values)
        return pa.array([None if value is None else _cell(value).encode(errors="replace").decode() for value in values])

    names = _names(rows)
    columns = {name: column([row.get(name) for row in rows]) for name in names}
    if "value" in columns:  # else one odd value would make it text
        values = [row.get("value") for row in rows]
        columns["value"] = pa.array([float(one) if isinstance(one, int | float) else None for one in values])
    parquet.write_table(pa.table(columns), folder / "records.parquet")
    return folder / "records.parquet"


def write_database(folder: Path, rows: Rows) -> Path:
    """Write a table of SQLite, whose cells have any type."""
    names = _names(rows)
    place = folder / "records.db"
    with contextlib.closing(sqlite3.connect(place)) as database:
        database.execute(f"CREATE TABLE {TABLE} ({', '.join(map(_quoted, names))})")
        marks = ", ".join("?" * len(names))
        cells = [[_stored(row.get(name)) for name in names] for row in rows]
        database.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", cells)
        database.commit()
    return place


FILES: dict[str, Callable[[Path, Rows], Path]] = {
    "jsonl": write_json_lines,
    "json": write_json,
    "csv": write_csv,
    "tsv": write_tsv,
    "jsonl.gz": write_gz,
    "csv.gz": write_csv_gz,
    "glob": write_several,
    **({"parquet": write_parquet} if find_spec("pyarrow") else {}),
}
"""What writes records, by the kind of file that can be read here."""


def _names(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _json(row: object) -> str:
    text = json.dumps(row)
    while (start := text.find(f'"{_RAW}')) >= 0:
        end = text.index('"', start + 1)
        text = text[:start] + text[start + len(_RAW) + 1 : end] + text[end + 1 :]
    return text


def _table(rows: Rows, delimiter: str, end: str) -> str:
    text, names = io.StringIO(), _names(rows)
    table = csv.writer(text, delimiter=delimiter, lineterminator=end)
    table.writerow(names)
    table.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    return text.getvalue().encode(errors="replace").decode()


def _cell(value: Any) -> str:
    """Return a value as a table has it."""
    if value is None:
        return ""
    return value.removeprefix(_RAW) if isinstance(value, str) else json.dumps(value)


def _stored(value: Any) -> Any:
    """Return a value as a database has it: numbers of any size as text, all else that it can't store as bytes."""
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(Decimal(value))
    if isinstance(value, list | dict):
        return json.dumps(value).encode()
    return value.removeprefix(_RAW).encode(errors="replace").decode() if isinstance(value, str) else value


def _quoted(name: str) -> str:
    return f'"{name}"'


def _written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode(errors="surrogatepass"))
    return path


def _compressed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed
