"""`check`: the delivery that only checks, as a command, which needs no Airflow for files."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from airflow_provider_userdata.__main__ import main

REASONS = {"P4": ("$.plan", 2), "P7": ("$.user_id", 1)}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Write a file of 250 users, of whom one has no id, and two have an attribute that is too long."""
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "plan"])
        for number in range(250):
            rows.writerow(["" if number == 7 else f"u{number}", "long" * 40 if number in (3, 200) else "free"])
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give its exit code, and what it prints as results and as errors."""
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    printed = capsys.readouterr()
    code = ended.value.code
    assert isinstance(code, int)
    return code, printed.out, printed.err


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Run the command, and give what it tells programs."""
    _, text, errors = run(capsys, *arguments, "-o", "json")
    assert text, errors
    told: dict[str, Any] = json.loads(text)
    return told


def test_people_read_what_is_wrong_where_and_what_to_do(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, a table with the first lines of each reason, the rules, and how many requests it would take."""
    code, text, _ = run(capsys, str(people), "--vendor", "ptengine")
    assert code == 1
    assert text.startswith("250 records checked for Ptengine in ")
    assert "247 valid: 3 requests would carry them" in text
    assert "3 rejected: they would not be sent" in text
    assert "people.csv:5, " in text
    assert "people.csv:202" in text
    assert "P7: user_id is a text" in text
    assert text.count("What to do: ") == 2


def test_why_users_need_more_requests(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A user who occurs again needs another request; without one, nothing is said."""
    _, text, _ = run(capsys, str(people), "--vendor", "ptengine")
    assert "more than" not in text
    people.write_text("user_id,plan\nu1,free\nu2,pro\nu1,pro\n")
    _, text, _ = run(capsys, str(people), "--vendor", "ptengine")
    assert "3 valid: 2 requests would carry them\n     more than 1: users who occur again, " in text


def test_programs_read_the_same(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, and as YAML."""
    told = found(capsys, str(people), "--vendor", "ptengine")
    assert {one["rule"]: (one["path"], one["count"]) for one in told["reasons"]} == REASONS
    assert (told["read"], told["valid"], told["rejected"], told["held"], told["requests"]) == (250, 247, 3, 0, 3)
    assert told["reasons"][0]["first"][1]["position"] == 200
    assert told["reasons"][0]["do"]
    _, text, _ = run(capsys, str(people), "--vendor", "ptengine", "-o", "yaml")
    assert msgspec.yaml.decode(text)["reasons"] == told["reasons"]


def test_nothing_wrong(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ends with 0, and names no rules."""
    code, text, _ = run(capsys, str(people), "--vendor", "ptengine", "--fields", "user_id=plan")
    assert code == 1  # the long ones
    people.write_text("id;name\nu1;é\nu2;b\n", encoding="latin-1")
    options = ("--fields", "user_id=id,name", "--delimiter", ";", "--encoding", "latin-1")
    code, text, _ = run(capsys, str(people), "--vendor", "ptengine", *options)
    assert (code, "What to do" in text) == (0, False)
    assert "2 valid: 1 request would" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--vendor", "ptengine", "--data-type", "steps"], "--data-type is an option for gerosense, not for ptengine"),
        (["--vendor", "gerosense"], "--data-type is missing: for GeroSense, say"),
        (["--vendor", "gerosense", "--data-type", "sleep"], "data_type: must be one of"),
        (["--vendor", "ptengine", "--fields", "{"], "--fields: must be a dictionary"),
        (["--vendor", "ptengine", "--fields", '{"user_id": open("x")}'], "--fields: must be a dictionary"),
        (["--vendor", "ptengine", "--fields", "user_id="], "--fields: must be pairs"),
        (["--vendor", "ptengine", "--fields", "plan=plan"], "lacks 'user_id'"),
        (["--vendor", "ptengine", "--limit", "0"], "--limit"),
        (["--vendor", "ptengine", "--delimiter", ";;"], "delimiter"),
        (["--vendor", "ptengine", "--conn-id", "x", "--encoding", "cp932"], "--encoding is for files"),
        (["--vendor", "thymia", "--schema", "/nowhere.json"], "data_schema: /nowhere.json can't be read"),
    ],
)
def test_a_wrong_call(people: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """Ends with 2, and says in one line what to write instead."""
    code, text, error = run(capsys, str(people), *arguments)
    assert (code, text, error.count("\n")) == (2, "", 1)
    assert error.startswith("userdata: ")
    assert said in error


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Is a wrong call too."""
    code, _, error = run(capsys, str(tmp_path / "no*.csv"), "--vendor", "ptengine")
    assert code == 2
    assert "no file matches" in error
    with pytest.raises(SystemExit) as ended:
        main(["check", "x.csv", "--vendor", "nobody"])
    assert ended.value.code == 2


def test_a_file_that_breaks_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was read before is told, and the code says that it isn't all."""
    path = tmp_path / "people.json"
    path.write_text('[{"user_id": "a"}, {"user_id": ')
    code, text, error = run(capsys, str(path), "--vendor", "ptengine")
    assert code == 2
    assert "nothing was sent" in text
    assert "the check ended before its end" in error


def test_many_files_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell's list of files is one source; `--fields` reads what stands in a DAG; too few samples are held."""
    for day in ("1", "2"):
        (tmp_path / f"{day}.csv").write_text(f"phone,begun,steps\np,2024-05-0{day} 08:00:00,12\np,yesterday,1\n")
    fields = (
        '{"device_name": "phone", "unit": Constant("count"), "value": "steps", '
        '"start_date": Timestamp("begun", "%Y-%m-%d %H:%M:%S", timezone="Asia/Tokyo")}'
    )
    files = sorted(map(str, tmp_path.glob("*.csv")))
    options = ("--vendor", "gerosense", "--data-type", "steps", "--fields", fields)
    told = found(capsys, *files, *options)
    assert (told["read"], told["rejected"], told["held"], told["requests"]) == (4, 2, 2, 0)
    assert [(one["rule"], one["fate"]) for one in told["reasons"]] == [("A7", "rejected"), ("G4", "held")]


def test_rejected_records_are_kept_on_request(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And only then; a second check replaces the first one's."""
    for _ in range(2):
        told = found(capsys, str(people), "--vendor", "ptengine", "--keep", str(tmp_path / "kept"))
        lines = [json.loads(line) for line in Path(told["rejects"]).read_text().splitlines()]
        assert [line["position"] for line in lines] == [3, 7, 200]
        assert [path.name for path in (tmp_path / "kept").iterdir()] == ["rejects-1-check.jsonl"]
    assert found(capsys, str(people), "--vendor", "ptengine")["rejects"] is None


def test_values_are_masked(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first request's form is shown, and no value."""
    _, text, _ = run(capsys, str(people), "--vendor", "ptengine")
    assert "The first request, with its values masked: POST /v1/user/profiles" in text
    assert "free" not in text


def test_it_needs_no_airflow(people: Path) -> None:
    """Nothing imports Airflow, and the exit code is a shell's to read."""
    code = f"""
import sys
sys.modules["airflow"] = None
from airflow_provider_userdata.__main__ import main
main(["check", {str(people)!r}, "--vendor", "ptengine"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "247 valid" in done.stdout


def test_nobody_reads_on(people: Path) -> None:
    """As with `check … | head -1`: it ends without a traceback."""
    command = [sys.executable, "-m", "airflow_provider_userdata", "check", str(people), "--vendor", "ptengine"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=600, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
