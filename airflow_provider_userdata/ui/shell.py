"""Commands as lines for a shell, in which every name stays what it is, whatever characters it has."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.upload_status import UploadStatus


def userdata_command(row: Row[UploadStatus], name: str, *options: str, run: bool = True) -> str:
    """Return one of this package's commands for a task instance.

    :param run: whether it is about the task's run, or about the task.
    """
    about = []
    if run:  # an option's value that begins with `-` would be taken for an option
        about += [f"--run-id={row.run_id}"] if row.run_id.startswith("-") else ["--run-id", row.run_id]
    if run and row.map_index >= 0:
        about += ["--map-index", str(row.map_index)]
    names, options = [row.dag_id, row.task_id], (*about, *options)
    is_odd = any(name.startswith("-") for name in names)
    words = [*options, "--", *names] if is_odd else [*names, *options]
    return " ".join(["airflow userdata", name, *map(_quoted, words)])


def clear_command(row: Row[UploadStatus], base_url: str) -> str:
    """Return the command that clears the task instance, by Airflow's API.

    `airflow tasks clear` can't: it selects runs by their logical date, which some don't have, and tasks by a part of
    their name.
    """
    task = row.task_id if row.map_index < 0 else [row.task_id, row.map_index]
    body = {"dry_run": False, "dag_run_id": row.run_id, "task_ids": [task], "only_failed": False}
    url = f"{base_url.rstrip('/')}/api/v2/dags/{quote(row.dag_id, safe='')}/clearTaskInstances"
    return " ".join(
        [
            f"curl --fail -X POST {shlex.quote(url)}",
            '-H "Authorization: Bearer $AIRFLOW_TOKEN"',
            f"-H {shlex.quote('Content-Type: application/json')} -d {shlex.quote(json.dumps(body))}",
        ]
    )


def _quoted(word: str) -> str:
    """Return a word for bash and zsh. Control characters are spelled out, so that a terminal doesn't obey them."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    spelled = (one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped)
    return f"$'{''.join(spelled)}'"
