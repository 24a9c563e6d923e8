"""What `check` says of a record is what the task does with it: for each vendor, in every kind of source."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli.check import checked
from airflow_provider_userdata.cli.contracts import contract_of
from airflow_provider_userdata.cli.definition import parser
from airflow_provider_userdata.errors import UserdataError
from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import Column, Constant, Number, SqlSource, Timestamp
from tests.doubles.exports import FILES, TABLE, spoiled, write_database

OPERATORS = {
    "ptengine": PtengineProfilesOperator,
    "thymia": ThymiaUploadOperator,
    "gerosense": GerosenseSamplesOperator,
}
COUNT = 80
SCHEMA = {"type": "object", "properties": {"score": {"type": ["integer", "string"]}, "note": {"maxLength": 50}}}
RENAMED = {
    "device_name": Column("device_name"),
    "start_date": Timestamp("start_date", "%Y-%m-%dT%H:%M:%S", timezone="Asia/Tokyo"),
    "value": Number("value"),
    "unit": Constant("count"),
}
"""A time without an offset, so that some of the odd ones are right, and all others wrong."""


class Case(NamedTuple):
    """A vendor's arguments, as the command has them and as the operator does."""

    vendor: str
    records: str
    options: tuple[str, ...]
    arguments: dict[str, Any]


DIRECT = {"gerosense_conn_id": "gerosense_direct"}
STEPS = ("--data-type", "steps")
CASES = {
    "ptengine": Case("ptengine", "people", (), {}),
    "ptengine, empty omitted": Case("ptengine", "people", ("--empty-values", "omit"), {"empty_values": "omit"}),
    "ptengine, fields": Case(
        "ptengine",
        "people",
        (
            "--fields",
            """{"user_id": "user_id", "n": Number("plan"), "at": Timestamp("city", "iso"), "c": Constant(1)}""",
        ),
        {"fields": {"user_id": "user_id", "n": Number("plan"), "at": Timestamp("city", "iso"), "c": Constant(1)}},
    ),
    "thymia": Case("thymia", "moods", (), {"upload_type": "mood"}),
    "thymia, flat": Case("thymia", "answers", ("--user-label", "who"), {"upload_type": "checked", "user_label": "who"}),
    "thymia, schema and pii": Case(
        "thymia",
        "answers",
        ("--user-label", "who", "--schema", "schema.json", "--pii-allowed", "note"),
        {"upload_type": "checked", "user_label": "who", "data_schema": "schema.json", "pii_allowed": ["note"]},
    ),
    "thymia, pii allowed": Case(
        "thymia",
        "answers",
        ("--user-label", "who", "--pii", "allow"),
        {"upload_type": "checked", "user_label": "who", "pii": "allow"},
    ),
    "gerosense": Case("gerosense", "samples", STEPS, {"data_type": "steps"}),
    "gerosense, time zone": Case(
        "gerosense",
        "samples",
        ("--data-type", "bpm", "--default-timezone", "Asia/Tokyo"),
        {"data_type": "bpm", "default_timezone": "Asia/Tokyo"},
    ),
    "gerosense, fields": Case(
        "gerosense",
        "local_samples",
        (
            *STEPS,
            "--fields",
            """{"device_name": Column("device_name"), "value": Number("value"), "unit": Constant("count"),
            "start_date": Timestamp("start_date", "%Y-%m-%dT%H:%M:%S", timezone="Asia/Tokyo")}""",
        ),
        {"data_type": "steps", "fields": RENAMED},
    ),
    "gerosense, users": Case(
        "gerosense", "users_samples", (*STEPS, "--user-id", "who"), {"data_type": "steps", "user_id": "who", **DIRECT}
    ),
    "gerosense, registered users": Case(
        "gerosense",
        "registered_samples",
        (*STEPS, "--user-id", "who", "--register", "biological_sex=sex,year_of_birth=born"),
        {
            "data_type": "steps",
            "user_id": "who",
            "register": {"biological_sex": "sex", "year_of_birth": "born"},
            **DIRECT,
        },
    ),
    "gerosense, users and fields": Case(
        "gerosense",
        "local_samples",
        (*STEPS, "--user-id", "who", "--fields", "device_name,start_date,value,unit"),
        {
            "data_type": "steps",
            "user_id": "who",
            "fields": {name: name for name in ("device_name", "start_date", "value", "unit")},
            **DIRECT,
        },
    ),
}


@pytest.fixture
def made(people: Any, samples: Any, moods: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Make valid records, as the cases name them."""

    def records(name: str) -> list[dict[str, Any]]:
        users = [{**one, "who": f"u{place % 9}"} for place, one in enumerate(samples(COUNT))]
        made: dict[str, list[dict[str, Any]]] = {
            "people": [{**one, "city": "2024-05-01T08:00:00Z"} for one in people(COUNT)],
            "moods": moods(COUNT),
            "answers": [{"who": f"u{n}", "score": n, "note": "ok", "phone": None} for n in range(COUNT)],
            "samples": samples(COUNT),
            "local_samples": [{**one, "start_date": "2024-05-01T08:00:00"} for one in users],
            "users_samples": users,
            "registered_samples": [{**one, "sex": "Male", "born": 1990} for one in users],
        }
        return made[name]

    return records


def verdicts(folder: Path) -> dict[int, tuple[object, ...]]:
    """Return what rejects files say of each position; others were delivered, or are valid."""
    lines = [json.loads(line) for file in folder.rglob("rejects-*.jsonl") for line in file.read_text().splitlines()]
    found = {line["position"]: _verdict(line) for line in lines}
    assert len(found) == len(lines)
    return found


def _verdict(line: dict[str, Any]) -> tuple[object, ...]:
    held = line["fate"] == "held"  # then the reason says what becomes of it
    return (
        line["fate"],
        line["rule"],
        line["path"],
        "" if held else line["reason"],
        line.get("file"),
        line.get("line"),
    )


@pytest.fixture
def both(
    context: Any, sandbox: Sandbox, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Check a source and upload it, and see that the two say the same of it; return the counts."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))
    monkeypatch.chdir(tmp_path)

    def run(case: Case, source: Any) -> Any:
        sandbox.reset()
        asked = parser().parse_args(["check", "x", "--vendor", case.vendor, *case.options])
        ended = checked(contract_of(asked), source, tmp_path / "checked")
        report = OPERATORS[case.vendor](
            task_id="upload", source=source, max_rejected=1000, **case.arguments
        ).execute(context)  # fmt: skip

        assert ended.error is None
        said = ended.report
        assert (said.valid, said.rejected, said.held) == (report["delivered"], report["rejected"], report["held"])
        assert report["refused"] == 0
        assert said.would_send == report["requests"]
        assert verdicts(tmp_path / "checked") == verdicts(output)
        for folder in (tmp_path / "checked", output):
            shutil.rmtree(folder)
        return said

    return run


@pytest.mark.parametrize("case", CASES)
def test_the_verdicts_on_files_are_the_tasks(
    case: str, both: Callable[..., Any], made: Callable[[str], list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Position by position, with rule, path, reason and line; the vendor refuses nothing; and as many requests."""
    rejected = 0
    for number, (kind, write) in enumerate(FILES.items()):
        folder = tmp_path / kind
        folder.mkdir()
        rows = spoiled(random.Random(f"{case} {number}"), made(CASES[case].records))
        rejected += both(CASES[case], str(write(folder, rows))).rejected
    assert rejected > 0


@pytest.mark.parametrize("case", CASES)
def test_the_verdicts_on_queries_are_the_tasks(
    case: str,
    both: Callable[..., Any],
    made: Callable[[str], list[dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on files."""
    rows = spoiled(random.Random(case), made(CASES[case].records))
    connection = {"conn_type": "sqlite", "host": str(write_database(tmp_path, rows))}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(connection))

    both(CASES[case], SqlSource(f"SELECT * FROM {TABLE} ORDER BY rowid", "crm"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gone.csv", None),
        ("people.csv", b'user_id,plan\nu1,a\nu2,b"c\n'),
        ("people.csv", b"user,plan\nu1,a\n"),
        ("people.csv", b"user_id,user_id\nu1,a\n"),
        ("people.csv", b"user_id,plan\nu1,\xff\xfe\n"),
        ("people.json", b'[{"user_id": "u1"}, {"user_id": '),
        ("people.jsonl.gz", b"not compressed"),
        ("people.parquet", b"PAR1 and nothing more"),
        ("people.xlsx", b"PK"),
    ],
)
def test_a_source_that_cannot_be_read_is_said_alike(
    name: str, content: bytes | None, context: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    """In the same words, or with the same verdicts."""
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    said, done = "", ""
    try:
        asked = parser().parse_args(["check", "x", "--vendor", "ptengine"])
        said = str(checked(contract_of(asked), str(source), tmp_path / "checked").error or "")
    except UserdataError as error:
        said = str(error)
    try:
        PtengineProfilesOperator(task_id="upload", source=str(source), max_rejected=9).execute(context)
    except AirflowException as error:
        done = str(error)

    assert said in done
    assert bool(said) == bool(done)


def test_a_query_on_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Is checked like a file; without lines, a record's number says where it is. A connection that isn't there is 2."""
    database = tmp_path / "crm.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE people (id TEXT, plan TEXT)")
        connection.executemany("INSERT INTO people VALUES (?, 'free')", [("a",), (" ",), ("c",)])
        connection.commit()
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(database)}))
    query = ["SELECT id AS user_id, plan FROM people ORDER BY rowid", "--vendor", "ptengine", "--conn-id"]
    with pytest.raises(SystemExit) as ended:
        main(["check", *query, "crm"])
    text = capsys.readouterr().out
    assert ended.value.code == 1
    assert "3 records checked" in text
    assert "record 1" in text
    with pytest.raises(SystemExit) as ended:
        main(["check", *query, "nowhere"])
    assert ended.value.code == 2
    assert "there is no connection 'nowhere'" in capsys.readouterr().err
