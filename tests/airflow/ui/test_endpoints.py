"""What the page and the tab are told of uploads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

LIST = "/userdata/api/uploads"
Ask = Callable[..., Any]
Shown = Callable[..., dict[str, Any]]


def one(dag_id: str = "moods", run_id: str = "r", task_id: str = "upload", map_index: int = -1) -> str:
    """Give an upload's address."""
    return "/".join([LIST, *(quote(name, safe="") for name in (dag_id, run_id, task_id)), str(map_index)])


def test_a_row_of_the_list(ask: Ask, metadata: Any, shown: Shown) -> None:
    """Says what the task shows, and what Airflow knows; what only one upload's view needs is left out."""
    value = shown(label="part 3")
    metadata.put(value=value, try_number=2, max_tries=3)
    answer = ask(LIST).json()
    (row,) = answer["uploads"]
    for name in ("rate", "attempts", "faults"):
        del value[name]
    assert row["upload"] == value
    assert (row["dag_id"], row["run_id"], row["task_id"], row["map_index"]) == ("moods", "r", "upload", -1)
    assert (row["state"], row["try_number"], row["max_tries"]) == ("success", 2, 3)
    assert (row["operator"], row["map_label"], row["elsewhere"]) == ("GerosenseSamplesOperator", None, False)
    assert row["started"].endswith("Z")
    assert row["ended"].endswith("Z")
    assert answer["more"] is False
    assert abs(datetime.now(UTC) - datetime.fromisoformat(answer["now"])) < timedelta(minutes=1)


def test_one_upload(ask: Ask, metadata: Any, shown: Shown) -> None:
    """Has everything that the task shows, and the rules in its reasons with what to do about them."""
    value = shown(reasons={"G8": 2, "X1": 1})
    metadata.put(value=value)
    answer = ask(one()).json()
    assert answer["upload"] == value
    assert answer["rules"].keys() == {"G8"}
    assert answer["rules"]["G8"].keys() == {"says", "do"}
    assert answer["now"].endswith("Z")
    assert answer["state"] == "success"


def test_no_upload_is_null(ask: Ask, metadata: Any) -> None:
    """A 404 would be an error in the browser's console. `~` is no DAG."""
    metadata.put(key="return_value")
    for path in (one(), one(dag_id="other"), one(dag_id="~"), one(map_index=3)):
        answer = ask(path)
        assert (answer.status_code, answer.json()) == (200, None)
    assert ask(LIST).json()["uploads"] == []


def test_mapped_tasks_have_a_row_each(ask: Ask, metadata: Any) -> None:
    """With their label, if they have one of their own."""
    metadata.put(map_index=0, _rendered_map_index="first file")
    metadata.put(map_index=1)
    rows = {row["map_index"]: row["map_label"] for row in ask(LIST).json()["uploads"]}
    assert rows == {0: "first file", 1: None}
    assert ask(one(map_index=0)).json()["map_label"] == "first file"
    assert ask(one()).json() is None


def test_a_decorated_task_is_named_by_its_decorator(ask: Ask, metadata: Any) -> None:
    """Its class has a name that nobody wrote."""
    metadata.put(operator="_DecoratedGerosenseSamplesOperator", custom_operator_name="@task.gerosense_samples")
    assert ask(one()).json()["operator"] == "@task.gerosense_samples"


@pytest.mark.parametrize("run_id", ["manual__2024-05-01T00:00:00+00:00", "a b", "a/b", 'it\'s "so"'])
def test_any_run_is_found(ask: Ask, metadata: Any, run_id: str) -> None:
    """Whatever characters its name has."""
    metadata.put(run_id=run_id)
    assert ask(one(run_id=run_id)).json()["run_id"] == run_id


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "s3://bucket/key",
        7,
        ["userdata"],
        {"v": 2},
        {"vendor": "gerosense"},
        {"__classname__": "airflow.sdk.definitions.connection.Connection", "__version__": 1, "__data__": {}},
    ],
)
def test_what_somebody_else_wrote_is_left_out(ask: Ask, metadata: Any, value: object) -> None:
    """Anybody can write an XCom, under any key; another version of this form is unknown, too."""
    metadata.put(value=value)
    metadata.put(task_id="real")
    assert [row["task_id"] for row in ask(LIST).json()["uploads"]] == ["real"]
    assert ask(one()).json() is None


def test_fields_that_are_not_ours_are_left_out(ask: Ask, metadata: Any, shown: Shown) -> None:
    """Also in a value that is one of ours."""
    metadata.put(value={**shown(), "record": {"user_id": "ann"}})
    assert "record" not in ask(one()).json()["upload"]


def test_json_within_json_is_read(ask: Ask, metadata: Any, shown: Shown) -> None:
    """As some Airflows store it."""
    value = shown()
    metadata.put(value=json.dumps(value))
    assert ask(one()).json()["upload"] == value


def test_an_upload_in_an_object_store_is_said_to_be_there(
    ask: Ask, metadata: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An XCom backend leaves its own text in the row: Airflow's facts are shown."""
    metadata.put(value="s3://bucket/xcoms/moods/1.json", state="running")
    monkeypatch.setenv(
        "AIRFLOW__CORE__XCOM_BACKEND", "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend"
    )
    (row,) = ask(LIST).json()["uploads"]
    assert (row["upload"], row["elsewhere"], row["state"]) == (None, True, "running")
    answer = ask(one())
    assert (answer.json()["upload"], answer.json()["elsewhere"], answer.json()["commands"]) == (None, True, [])
    assert "bucket" not in answer.text


@pytest.mark.parametrize("state", ["running", "deferred", "up_for_retry", "queued", "failed", None])
def test_the_state_is_the_task_instances(ask: Ask, metadata: Any, shown: Shown, state: str | None) -> None:
    """A task that was killed can't say so itself."""
    metadata.put(value=shown(state="delivering"), state=state, end_date=None)
    answer = ask(one()).json()
    assert (answer["state"], answer["ended"], answer["upload"]["state"]) == (state, None, "delivering")


def test_text_is_passed_on_as_it_is(ask: Ask, metadata: Any, shown: Shown) -> None:
    """As JSON, which no browser takes for a page."""
    text = "<script>alert(1)</script> **bold**"
    metadata.put(value=shown(kind=text, label=text, faults={text: 1}, reasons={text: 1}))
    answer = ask(one())
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["upload"]["kind"] == text
    assert answer.json()["upload"]["reasons"] == {text: 1}


def test_the_newest_come_first(ask: Ask, metadata: Any) -> None:
    """By their last sign of life, up to a number, and not older than some days."""
    for days in (3, 1, 2, 40):
        metadata.put(task_id=f"t{days}", ago=timedelta(days=days))

    def tasks(query: str) -> tuple[list[str], bool]:
        answer = ask(f"{LIST}?{query}").json()
        return [row["task_id"] for row in answer["uploads"]], answer["more"]

    assert tasks("") == (["t1", "t2", "t3"], False)
    assert tasks("days=90") == (["t1", "t2", "t3", "t40"], False)
    assert tasks("days=2&limit=500") == (["t1"], False)
    assert tasks("limit=3") == (["t1", "t2", "t3"], False)
    assert tasks("limit=2") == (["t1", "t2"], True)


def test_one_dag_of_many(ask: Ask, metadata: Any) -> None:
    """Where one DAG's mapped tasks leave no place for others, these are found by their DAG."""
    for number in range(5):
        metadata.put("many_instances", map_index=number)
    metadata.put("moods", ago=timedelta(hours=1))
    answer = ask(f"{LIST}?limit=3").json()
    assert ({row["dag_id"] for row in answer["uploads"]}, answer["more"]) == ({"many_instances"}, True)
    assert answer["dags"] == ["many_instances", "moods"]
    answer = ask(f"{LIST}?limit=3&dag=moods").json()
    assert ([row["dag_id"] for row in answer["uploads"]], answer["more"]) == (["moods"], False)
    assert answer["dags"] == ["many_instances", "moods"]
    assert ask(f"{LIST}?dag=no_such_dag").json()["uploads"] == []


@pytest.mark.parametrize(("others", "limit"), [(1, 2), (7, 2), (7, 3), (12, 1)])
def test_what_others_wrote_takes_no_places(ask: Ask, metadata: Any, others: int, limit: int) -> None:
    """However much of it there is, and also where many XComs have one time, each upload is there once."""
    now, moment = datetime.now(UTC), timedelta(minutes=5)
    for number in range(others):
        metadata.put("moods", f"r{number % 3}", f"other{number}", value="no upload", ago=moment, now=now)
    for number in range(4):
        metadata.put(
            "moods", f"r{number % 3}", f"t{number}", map_index=number - 1, ago=moment * (1 + number // 3), now=now
        )
    answer = ask(f"{LIST}?limit=4").json()
    assert sorted(row["task_id"] for row in answer["uploads"]) == ["t0", "t1", "t2", "t3"]
    assert answer["more"] is False
    answer = ask(f"{LIST}?limit={limit}").json()
    assert len(answer["uploads"]) == limit
    assert answer["more"] is True


def test_the_search_for_uploads_has_an_end(ask: Ask, metadata: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nearly all under the key is others', the list says that it may lack some."""
    from airflow_provider_userdata.ui import uploads

    monkeypatch.setattr(uploads, "_MOST_QUERIES", 2)
    for number in range(5):
        metadata.put(task_id=f"other{number}", value=7)
    metadata.put(task_id="old", ago=timedelta(hours=1))
    answer = ask(f"{LIST}?limit=1").json()
    assert (answer["uploads"], answer["more"]) == ([], True)
    assert [row["task_id"] for row in ask(f"{LIST}?limit=3").json()["uploads"]] == ["old"]


@pytest.mark.parametrize("query", ["days=0", "days=1000", "limit=0", "limit=501", "limit=many"])
def test_bounds_are_kept(ask: Ask, query: str) -> None:
    """So that no question takes long."""
    assert ask(f"{LIST}?{query}").status_code == 422
