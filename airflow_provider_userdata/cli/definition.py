"""The commands, declared once for Airflow's command line and for our own. Their code is imported when one is called."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import registry
from airflow_provider_userdata.airflow_compat import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

HELP = "Uploads of user data"


def _argument(*flags: str, **options: Any) -> Arg:
    return Arg(flags, **options)  # type: ignore[no-untyped-call]


def _command(name: str, text: str, *arguments: Arg, module: str = "commands") -> ActionCommand:
    return ActionCommand(name, text, lazy_load_command(f"airflow_provider_userdata.cli.{module}.{name}"), arguments)


_STREAMS = _argument(
    "--stream",
    type=int,
    action="append",
    metavar="NUMBER",
    help="a stream's number, as `streams` lists it; may be repeated",
)
_VENDOR = _argument("--vendor", help=f"all streams of a vendor: {registry.names()}")
_USER = _argument(
    "--user", metavar="ID", help="only this user, by the vendor's id or label; `-` reads it from the input"
)
_DAYS = _argument("--older-than", type=int, metavar="DAYS", help="only entries that are older")
_YES = _argument("-y", "--yes", action="store_true", help="don't ask")
_OUTPUT = _argument("-o", "--output", choices=("table", "json"), default="table", help="form (default: %(default)s)")

LEDGER = GroupCommand(
    "ledger",
    "What earlier runs delivered, as recorded by tasks with incremental=True",
    (
        _command("streams", "List what the ledger remembers: streams, entries, days", _OUTPUT),
        _command(
            "forget",
            "Forget streams, or a user in them, or entries older than a number of days",
            *(_STREAMS, _VENDOR, _USER, _DAYS, _YES),
        ),
        _command(
            "begin",
            "Begin a new ledger after the previous one was emptied, replaced or lost: everything is sent again",
            _YES,
        ),
        _command("export", "Write the entries as JSON lines: stream, key, fingerprint, day", _STREAMS, _VENDOR),
    ),
)

REJECTS = GroupCommand(
    "rejects",
    "Records of a task's run that were not delivered",
    (
        _command(
            "show",
            "Show why records were not delivered: how many for each reason, where the first ones are, what to do",
            _argument("dag_id", help="the DAG"),
            _argument("task_id", help="the task"),
            _argument("--run-id", required=True, help="the DAG's run"),
            _argument("--map-index", type=int, metavar="NUMBER", help="of a mapped task, the instance"),
            _argument("--rule", help="only what this rule kept back, such as G8"),
            _argument("--limit", type=int, default=20, metavar="NUMBER", help="of reasons (default: %(default)s)"),
            _argument("--values", action="store_true", help="also show the first records themselves"),
            _argument("--output-path", metavar="PATH", help="the task's output_path (default: as Airflow recorded it)"),
            _OUTPUT,
            module="rejects",
        ),
    ),
)
GROUPS = (LEDGER, REJECTS)


def get_cli_commands() -> list[CLICommand]:
    """Return the command group `userdata`, for Airflow."""
    return [GroupCommand("userdata", HELP, GROUPS)]
