"""The commands to copy do what they say, and there are no others."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.ui.shell import userdata_command

LIST = "/userdata/api/uploads"
Ask = Callable[..., Any]
Shown = Callable[..., dict[str, Any]]
Commands = Callable[..., list[dict[str, str]]]
REJECTED = {"state": "rejected"}
FAILED = {"state": "failed", "rejected": 0, "invalid": 0, "error": "VendorDownError"}
SEE = ["Show the reasons", "Count what is delivered by now"]
EDIT = ["1. Write them to a table", "2. Check the table", "3. Send it"]
CLEAR = "Send what was not delivered"
ODD = ["-r", "a b", 'it\'s a "run" $(x) `y` !z', "naïve run", "a\x1b[201~\nreboot \\ 'x'\t", "--x", "-1"]


@pytest.fixture
def commands(ask: Ask, metadata: Any) -> Commands:
    """Put an upload, and give its commands."""

    def get(value: dict[str, Any], **columns: Any) -> list[dict[str, str]]:
        metadata.put(value=value, **columns)
        path = f"{LIST}/moods/{quote(columns.get('run_id', 'r'), safe='')}/upload/{columns.get('map_index', -1)}"
        found: list[dict[str, str]] = ask(path).json()["commands"]
        return found

    return get


def titles(found: list[dict[str, str]]) -> list[str]:
    """Give what the commands do, in their order."""
    return [one["title"] for one in found]


def words(command: str) -> list[str]:
    """Give the words that a shell makes of a command."""
    made = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True).stdout
    return made.decode().split("\0")[:-1]


@pytest.mark.parametrize("state", ["success", "running", "deferred"])
def test_an_upload_without_rejects_needs_none(commands: Commands, shown: Shown, state: str) -> None:
    """There is nothing to look at."""
    assert commands(shown(rejected=0, invalid=0), state=state) == []


@pytest.mark.parametrize("map_index", [-1, 3])
@pytest.mark.parametrize("run_id", ODD)
def test_names_reach_our_command_line_as_they_are(run_id: str, map_index: int) -> None:
    """Whatever they hold: a shell makes of each command the words that our command line understands."""
    from airflow_provider_userdata.cli.definition import parser

    for dag_id, task_id in (("moods", "upload"), ("-moods", "upload"), ("moods", "--upload"), ("-1", "-h")):
        row: Row[Any] = Row(
            dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index, map_label=None, state=None,
            started=None, ended=None, try_number=1, max_tries=0, operator=None, elsewhere=False, upload=None,
        )  # fmt: skip
        command = userdata_command(row, "rejects export", "--csv", "rejects.csv")
        assert command.isprintable()  # a terminal obeys some characters
        made = words(command)
        assert made[:2] == ["airflow", "userdata"]
        asked = parser().parse_args(made[2:])
        assert (asked.dag_id, asked.task_id, asked.run_id, asked.csv) == (dag_id, task_id, run_id, "rejects.csv")
        assert asked.map_index == (None if map_index < 0 else map_index)
        asked = parser().parse_args(words(userdata_command(row, "held list", run=False))[2:])
        assert (asked.dag_id, asked.task_id) == (dag_id, task_id)


@pytest.mark.parametrize(
    ("state", "fields", "expected"),
    [
        ("success", {}, [*SEE, *EDIT]),  # cleared, it would send everything again
        ("success", {"incremental": True}, [*SEE, CLEAR, *EDIT]),
        ("failed", REJECTED, [*SEE, CLEAR, *EDIT]),
        ("failed", {**REJECTED, "incremental": True}, [*SEE, CLEAR, *EDIT]),
        ("failed", {**REJECTED, "resume": False}, [*SEE, *EDIT, "Send everything again"]),
        ("failed", {**REJECTED, "resume": False, "incremental": True}, [*SEE, CLEAR, *EDIT]),
        ("success", {"unknown": 2}, [*SEE, *EDIT, "Send them again"]),
        ("failed", {**REJECTED, "rejected": 0, "invalid": 0, "unknown": 2}, [*SEE, "Send them again"]),
        ("success", {"held": 2}, [*SEE, *EDIT, "List them"]),
        ("success", {"held": 2, "rejected": 0, "invalid": 0}, ["List them"]),
        ("success", {"incremental": True, "validate_only": True, "held": 2}, ["Show the reasons"]),
        ("running", {"state": "delivering", "incremental": True, "held": 2}, ["Show the reasons"]),
        ("up_for_retry", {"state": "failed", "unknown": 1}, ["Show the reasons"]),  # Airflow sends it again
        ("success", {"state": "failed"}, ["Show the reasons"]),  # somebody has set it to green
    ],
)
def test_what_is_offered(
    commands: Commands, shown: Shown, state: str, fields: dict[str, Any], expected: list[str]
) -> None:
    """What fits the state, and nothing else; to correct the source comes first wherever that sends what is missing."""
    found = commands(shown(**fields), state=state)
    assert titles(found) == expected
    assert all(one["part"] and one["when"].endswith(".") for one in found)


def test_a_mapped_task(commands: Commands, shown: Shown) -> None:
    """Its commands name the instance; what waits is the task's."""
    from airflow_provider_userdata.cli.definition import parser

    found = commands(shown(**REJECTED, held=1, unknown=1), state="failed", map_index=3)
    assert titles(found) == [*SEE, CLEAR, *EDIT, "Send them again", "List them"]
    for one in found:
        if one["title"] not in (CLEAR, "List them"):
            assert parser().parse_args(shlex.split(one["command"])[2:]).map_index == 3
    assert found[-1]["command"] == "airflow userdata held list moods upload"


def test_the_commands_for_the_table_are_one_way(commands: Commands, shown: Shown) -> None:
    """What the first one writes is what the others read; only the last one sends."""
    from airflow_provider_userdata.cli.definition import parser

    made = [one["command"] for one in commands(shown(**REJECTED), state="failed") if one["title"] in EDIT]
    export, check, send = (parser().parse_args(shlex.split(one)[2:]) for one in made)
    assert export.csv == check.fix == send.fix
    assert {one.run_id for one in (export, check, send)} == {"r"}
    assert (check.dry_run, send.dry_run) == (True, False)


@pytest.mark.parametrize("said", ["delivering", "waiting", "deferred", "stopped", "failed"])
def test_an_upload_that_was_killed_goes_on(commands: Commands, shown: Shown, said: str) -> None:
    """Its task failed for Airflow, whatever it could still say itself."""
    assert titles(commands(shown(**{**FAILED, "state": said}), state="failed")) == ["Go on where it ended"]


def test_one_that_starts_over_says_so(commands: Commands, shown: Shown) -> None:
    """With resume=False, unless a ledger knows what was delivered."""
    ((one),) = commands(shown(**FAILED, resume=False), state="failed")
    assert one["title"] == "Send everything again"
    assert "resume=False" in one["when"]
    ((one),) = commands(shown(**FAILED, resume=False, incremental=True), state="failed", run_id="other")
    assert one["title"] == "Go on where it ended"


@pytest.mark.parametrize("index", [-1, 2])
def test_an_upload_that_failed_is_cleared_alone(
    commands: Commands, metadata: Any, shown: Shown, index: int, monkeypatch: Any
) -> None:
    """The request that the command makes is one that Airflow takes, and names this task instance of this run alone."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.com/af/")
    (one,) = commands(shown(**FAILED), state="failed", map_index=index, run_id="a b")
    made = shlex.split(one["command"])
    url = next(word for word in made if word.startswith("https"))
    assert urlsplit(url).path == "/af/api/v2/dags/moods/clearTaskInstances"
    assert 'Authorization: Bearer $AIRFLOW_TOKEN"' in one["command"]
    from airflow.api_fastapi.core_api.datamodels.task_instances import ClearTaskInstancesBody

    body = ClearTaskInstancesBody.model_validate_json(made[made.index("-d") + 1])
    assert (body.dry_run, body.only_failed, body.dag_run_id) == (False, False, "a b")
    assert json.loads(made[made.index("-d") + 1])["task_ids"] == ["upload" if index < 0 else ["upload", index]]
