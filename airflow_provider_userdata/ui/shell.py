"""Commands as lines for a shell, in which every name stays what it is, whatever characters it has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from urllib.parse import quote

from airflow_provider_userdata.ui.rows import Row
from airflow_provider_userdata.upload_status import UploadStatus


def userdata_command(row: Row[UploadStatus], name: str, *options: str, run: bool = True) -> str:
    """Return one of this package's commands for a task instance.

    :param run: whether it is about the task's run, or about the task.
    """
    about = option("--run-id", row.run_id) if run else []
    if run and row.map_index >= 0:
        about += option("--map-index", str(row.map_index))
    return command_line(f"airflow userdata {name}", [row.dag_id, row.task_id], [*about, *options])


def command_line(command: str, names: Sequence[str], options: Sequence[str]) -> str:
    """Return a command for a shell.

    :param names: what the command is about; they are no options, even if they look like some.
    """
    is_odd = any(name.startswith("-") for name in names)
    words = [*options, "--", *names] if is_odd else [*names, *options]
    return " ".join([command, *map(_quoted, words)])


def option(name: str, value: str) -> list[str]:
    """Return the words of an option. A value that begins with `-` would be taken for an option."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


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
