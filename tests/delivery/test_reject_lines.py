"""A reject from a file says where it stands there, and what is wrong with most rejects can be logged."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
BAD = {7: {"user_id": " ", "note": "geheim\ngeheim"}, 1_200: {"user_id": "", "note": "x"}}


def users() -> list[dict[str, str]]:
    """Give users, two of them of nobody; a note of every hundredth has two lines."""
    return [
        BAD.get(number, {"user_id": f"u{number}", "note": "a\nb" if number % 100 == 0 else "c"})
        for number in range(1_500)
    ]


def as_json_lines(path: Path) -> list[int]:
    """Write users with blank lines between some, and give each one's line."""
    lines, numbers = [], []
    for number, user in enumerate(users()):
        lines += [""] * (number % 50 == 0)
        lines.append(json.dumps(user))
        numbers.append(len(lines))
    path.write_text("\n".join(lines))
    return numbers


def as_csv(path: Path) -> list[int]:
    """Write users with cells of two lines, and give each one's line."""
    numbers, line = [], 2
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_id", "note"])
        for user in users():
            writer.writerow(user.values())
            numbers.append(line)
            line += 1 + user["note"].count("\n")
    return numbers


def as_json(path: Path) -> list[int]:
    """Write users as an array."""
    path.write_text(json.dumps(users()))
    return list(range(1, 1_501))


def as_parquet(path: Path) -> list[int]:
    """Write users as columns."""
    pq.write_table(pa.Table.from_pylist(users()), path)
    return list(range(1, 1_501))


@pytest.mark.parametrize(
    ("name", "write"),
    [("u.jsonl", as_json_lines), ("u.csv.gz", as_csv), ("u.json", as_json), ("u.parquet", as_parquet)],
)
def test_a_reject_names_its_file_and_line(
    name: str, write: Callable[[Path], list[int]], deliver: Deliver, lines: JsonLines, tmp_path: Path, sandbox: Sandbox
) -> None:
    """Beside its position: also where the vendor refuses it, and the second file's lines begin anew."""
    (tmp_path / "a").mkdir()
    paths = [tmp_path / "a" / name, tmp_path / name]
    numbers = [write(path) for path in paths]
    sandbox.ptengine.script("400")

    ended = deliver("ptengine", [str(path) for path in paths], max_in_flight=1)

    rejects = lines(ended.report.rejects)
    assert {line["position"] for line in rejects} >= {7, 1_200, 1_507, 2_700}
    for line in rejects:
        file, place = divmod(line["position"], 1_500)
        assert (line["file"], line["line"]) == (str(paths[file]), numbers[file][place])


def test_rows_of_no_file_have_no_line(deliver: Deliver, lines: JsonLines) -> None:
    """Their position says where they are."""
    (line,) = lines(deliver("ptengine", users()[:20]).report.rejects)

    assert "file" not in line
    assert "line" not in line


def test_what_is_wrong_with_most_rejects_is_counted(deliver: Deliver) -> None:
    """By rule, path and reason, without anything of a record."""
    samples: list[Any] = [{"device_name": "geheim", "start_date": "2023-11-01T08:04:51Z", "value": 1}] * 299
    samples += [{"device_name": "geheim", "start_date": "geheim", "unit": "count", "value": 1, "geheim": 2}] * 2

    faults = deliver("gerosense", samples).faults

    assert next(iter(faults.values())) == 299
    assert next(iter(faults)).startswith("G8 $.unit is ")
    assert "geheim" not in str(faults)
