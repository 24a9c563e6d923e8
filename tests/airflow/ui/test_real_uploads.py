"""What real tasks show of themselves reaches the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sources import RejectsSource


def test_uploads_are_listed_with_their_counts(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, ask: Callable[..., Any], people: Any, marker: str
) -> None:
    """A green one, and one that is red for its rejects; nothing of a record, and no path."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="good", source=people(3))
        PtengineProfilesOperator(task_id="bad", source=[*people(2), {"plan": marker}])
    run = run_dag(dag)
    answer = ask("/userdata/api/uploads")
    rows = {row["task_id"]: row for row in answer.json()["uploads"]}
    assert rows.keys() == {"good", "bad"}
    assert (rows["good"]["state"], rows["good"]["upload"]["state"], rows["good"]["upload"]["delivered"]) == (
        "success", "done", 3,
    )  # fmt: skip
    bad = rows["bad"]["upload"]
    assert (rows["bad"]["state"], bad["state"], bad["delivered"], bad["invalid"]) == ("failed", "rejected", 2, 1)

    detail = ask(f"/userdata/api/uploads/{run.dag_id}/{quote(run.run_id, safe='')}/bad/-1")
    assert detail.json()["upload"]["reasons"] == {"P3": 1}
    assert detail.json()["rules"]["P3"]["do"].startswith("Map a column to user_id")
    for shown in (answer, detail):
        assert marker not in shown.text
        assert ".jsonl" not in shown.text


def test_a_replay_is_marked_as_one(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, ask: Callable[..., Any], people: Any
) -> None:
    """It is an upload of its own; the first run's counts stay as of its end. `resume=False` is shown, too."""
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="first", source=[*people(2), {"plan": "pro"}], max_rejected=1, resume=False)
    first = run_dag(dag)
    with new_dag("-again") as dag:
        source = RejectsSource(run=(first.dag_id, "first"), fix=lambda record: record | {"user_id": "known-by-now"})
        PtengineProfilesOperator(task_id="again", source=source)
    run_dag(dag)
    rows = {row["task_id"]: row["upload"] for row in ask("/userdata/api/uploads").json()["uploads"]}
    assert (rows["again"]["replay"], rows["again"]["delivered"], rows["again"]["resume"]) == (True, 1, True)
    assert (rows["first"]["replay"], rows["first"]["rejected"], rows["first"]["resume"]) == (False, 1, False)
