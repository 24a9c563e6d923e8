"""The commands that help with an upload, for people to copy into a shell."""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

import msgspec

from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.upload_status import UploadStatus


class Command(msgspec.Struct, frozen=True):
    """A command for a shell.

    :param title: what it does.
    """

    title: str
    command: str


def commands_for(row: Row[UploadStatus], base_url: str) -> list[Command]:
    """Return the commands that do something for an upload.

    :param base_url: where Airflow's web server is.
    """
    status = row.upload
    if status is None:
        return []
    commands = []
    if status.rejected + status.held + status.unknown:
        commands.append(Command("Show which records were not delivered, and why", _show(row)))
    if status.validate_only:
        return commands
    if row.state == "failed" and status.state not in ("done", "rejected"):  # also if it was killed without a word
        commands.append(Command("Go on where it ended (with resume=False: start over)", _clear(row, base_url)))
    elif status.rejected and (
        (row.state == "failed" and status.state == "rejected") or (row.state == "success" and status.incremental)
    ):  # a green task that isn't incremental would send everything again
        over = "" if status.incremental else " (with resume=False: send all again)"
        commands.append(
            Command(f"Once the source is corrected, send what was not delivered{over}", _clear(row, base_url))
        )
    return commands


def _show(row: Row[UploadStatus]) -> str:
    words = ["airflow", "userdata", "rejects", "show", row.dag_id, row.task_id, "--run-id", row.run_id]
    if row.map_index >= 0:
        words += ["--map-index", str(row.map_index)]
    return shlex.join(words)


def _clear(row: Row[UploadStatus], base_url: str) -> str:
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
