"""A DAG author's function gets rows as dictionaries, changes them, and yields them as records."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Number, read

Deliver = Callable[..., Result]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
NAMES = ["device_name", "start_date", "end_date", "unit", "value"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write samples as a compressed CSV file, with an end at every other one."""
    path = tmp_path / "samples.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        for number in range(300):
            end = "" if number % 2 else "2023-11-01T08:05:51Z"
            writer.writerow([f"Watch {number % 3}", "2023-11-01T08:04:51Z", end, "count", str(number + 1)])
    return path


def test_rows_keep_their_files_rules(table: Path, deliver: Deliver, sandbox: Sandbox) -> None:
    """A number is a number and an empty end is absent, as where the operator reads the file itself."""
    alone = deliver("gerosense", str(table), output=table.parent / "alone")
    received = sandbox.gerosense.arrived()
    sandbox.reset()

    def fix(row: dict[str, Any]) -> dict[str, Any]:
        row["device_name"] = row["device_name"].replace("Watch", "Apple Watch")
        return row

    ended = deliver("gerosense", lambda: (fix(row) for row in read(str(table))))

    assert (alone.report.delivered, ended.report.delivered) == (300, 300)
    names = [sample["device_name"].replace("Watch", "Apple Watch") for sample in received]
    expected = [{**sample, "device_name": name} for sample, name in zip(received, names, strict=True)]
    assert sandbox.gerosense.arrived() == expected


def test_a_function_may_put_values_of_types_beside_texts(table: Path, deliver: Deliver, sandbox: Sandbox) -> None:
    """What it puts in is taken as it is, in the same dictionary."""

    def fixed() -> Iterator[dict[str, Any]]:
        for row in read(str(table)):
            row["value"] = int(row["value"]) + 1
            row["end_date"] = None
            yield row

    assert deliver("gerosense", fixed).report.delivered == 300


def test_a_new_dictionary_needs_number(table: Path, deliver: Deliver, sandbox: Sandbox) -> None:
    """Its texts are texts: `Number` in `fields` makes numbers of them."""
    fields = {name: name for name in NAMES if name != "end_date"}

    def anew() -> Iterator[dict[str, Any]]:
        return ({**row} for row in read(str(table)))

    assert deliver("gerosense", anew, fields=fields, output=table.parent / "texts").report.rejected == 300
    assert deliver("gerosense", anew, fields=fields | {"value": Number("value")}).report.delivered == 300


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{geheim\n", "is not JSON"), ('"geheim"\n', "is not an object"), ("null\n", "is not an object")],
)
def test_a_row_that_cannot_be_read_ends_the_reading(tmp_path: Path, text: str, reason: str) -> None:
    """With its position and line, and without its content: a retry can't help."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n\n' + text)
    rows = read(str(path))

    assert next(rows) == {"a": 1}
    with pytest.raises(SourceError, match=f"position 1, in line 3 of .*x.jsonl', {reason}") as raised:
        next(rows)
    assert "geheim" not in str(raised.value)


def test_rows_of_a_database_library_are_records(deliver: Deliver, sandbox: Sandbox, lines: JsonLines) -> None:
    """Mappings that aren't dictionaries are sent, or rejected whole, like dictionaries."""
    engine = sa.create_engine("sqlite://")
    query = sa.text("SELECT 'u' || x AS user_id, y AS plan FROM (SELECT 1 AS x, 'pro' AS y UNION SELECT 2, x'00')")

    def rows() -> Iterator[Any]:
        with engine.connect() as connection:
            yield from connection.execute(query).mappings()

    report = deliver("ptengine", rows).report

    assert (report.delivered, report.rejected) == (1, 1)
    assert lines(report.rejects)[0]["record"] == {"user_id": "u2", "plan": {"$base64": "AA=="}}
