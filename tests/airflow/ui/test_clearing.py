"""A task instance is cleared by the command that the page gives, as by Airflow's own button."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.ui.commands import commands_for
from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.upload_status import upload_status


def test_the_command_clears_the_task(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, ask: Callable[..., Any], shown: Callable[..., dict[str, Any]]
) -> None:
    """And no other of its run."""
    with new_dag() as dag:
        for task_id in ("upload", "upload_more"):
            PtengineProfilesOperator(task_id=task_id, source=[{"user_id": task_id}])
    run = run_dag(dag)
    row: Row[Any] = Row(
        dag_id=run.dag_id, run_id=run.run_id, task_id="upload", map_index=-1, map_label=None, state="failed",
        started=None, ended=None, try_number=1, max_tries=0, operator=None, elsewhere=False,
        upload=upload_status(shown(state="failed")),
    )  # fmt: skip
    words = shlex.split(commands_for(row, "http://localhost:8080")[-1].command)
    path = urlsplit(next(word for word in words if word.startswith("http"))).path
    assert ask(path, method="POST", json=json.loads(words[words.index("-d") + 1])).status_code == 200
    assert (run.states("upload"), run.states("upload_more")) == ([None], ["success"])
