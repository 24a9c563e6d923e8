"""The commands to copy do what they say."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

LIST = "/userdata/api/uploads"
Ask = Callable[..., Any]
Shown = Callable[..., dict[str, Any]]
ODD = 'it\'s a "run" $(x)'


@pytest.fixture
def commands(ask: Ask, metadata: Any) -> Callable[..., dict[str, str]]:
    """Put an upload, and give its commands by title."""

    def get(value: dict[str, Any], **columns: Any) -> dict[str, str]:
        metadata.put(value=value, **columns)
        path = f"{LIST}/moods/{columns.get('run_id', 'r')}/upload/{columns.get('map_index', -1)}"
        return {one["title"]: one["command"] for one in ask(path).json()["commands"]}

    return get


def test_a_green_upload_needs_none(commands: Callable[..., dict[str, str]], shown: Shown) -> None:
    """There is nothing to look at."""
    assert commands(shown(rejected=0, invalid=0)) == {}


def test_rejects_are_shown_by_a_command(commands: Callable[..., dict[str, str]], shown: Shown) -> None:
    """Its words reach our command line as they are, whatever the names hold."""
    from airflow_provider_userdata.cli.definition import parser

    (command,) = commands(shown(), run_id=ODD, map_index=3).values()
    assert shlex.split(command)[:2] == ["airflow", "userdata"]
    asked = parser().parse_args(shlex.split(command)[2:])
    assert (asked.dag_id, asked.task_id, asked.run_id, asked.map_index) == ("moods", "upload", ODD, 3)


FAILED = {"state": "failed", "rejected": 0, "invalid": 0, "error": "VendorDownError"}


@pytest.mark.parametrize("index", [-1, 2])
def test_an_upload_that_failed_is_cleared_alone(
    commands: Callable[..., dict[str, str]], ask: Ask, metadata: Any, shown: Shown, index: int, monkeypatch: Any
) -> None:
    """The request that the command makes is one that Airflow takes, and names this task instance of this run alone."""
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.com/af/")
    ((title, command),) = commands(shown(**FAILED), state="failed", map_index=index, run_id="a b").items()
    assert title.startswith("Go on where it ended")
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("https"))
    assert urlsplit(url).path == "/af/api/v2/dags/moods/clearTaskInstances"
    assert 'Authorization: Bearer $AIRFLOW_TOKEN"' in command
    from airflow.api_fastapi.core_api.datamodels.task_instances import ClearTaskInstancesBody

    body = ClearTaskInstancesBody.model_validate_json(words[words.index("-d") + 1])
    assert (body.dry_run, body.only_failed, body.dag_run_id) == (False, False, "a b")
    assert json.loads(words[words.index("-d") + 1])["task_ids"] == ["upload" if index < 0 else ["upload", index]]


@pytest.mark.parametrize("said", ["delivering", "waiting", "deferred", "stopped", "failed"])
def test_an_upload_that_was_killed_goes_on(commands: Callable[..., dict[str, str]], shown: Shown, said: str) -> None:
    """Its task failed for Airflow, whatever it could still say itself."""
    (title,) = commands(shown(**{**FAILED, "state": said}), state="failed")
    assert title.startswith("Go on where it ended")


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("success", {"incremental": True}),
        ("failed", {"state": "rejected"}),
        ("failed", {"state": "rejected", "incremental": True}),
    ],
)
def test_what_is_sent_again(
    commands: Callable[..., dict[str, str]], shown: Shown, state: str, fields: dict[str, Any]
) -> None:
    """By a task that is red for its rejects, or with incremental=True: both know what was delivered."""
    found = commands(shown(**fields), state=state)
    assert [title.partition(" ")[0] for title in found] == ["Show", "Once"]
    title = "Once the source is corrected, send what was not delivered"
    over = "" if fields.get("incremental") else " (with resume=False: send all again)"
    assert "clearTaskInstances" in found[title + over]


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("success", {}),
        ("success", {"incremental": True, "validate_only": True}),
        ("running", {"state": "delivering", "incremental": True}),
        ("up_for_retry", {"state": "failed"}),  # Airflow does it
    ],
)
def test_nothing_is_offered_that_would_not_do_it(
    commands: Callable[..., dict[str, str]], shown: Shown, state: str, fields: dict[str, Any]
) -> None:
    """The rejects are shown, and that is all."""
    assert [title.partition(" ")[0] for title in commands(shown(**fields), state=state)] == ["Show"]
