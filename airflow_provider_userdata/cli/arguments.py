"""The commands and their arguments, declared once for Airflow's command line and for our own. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_userdata import registry


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a command.

    :param flags: its names, as `argparse` expects them.
    :param options: the other arguments of `add_argument`.
    """

    flags: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    :param name: what is typed.
    :param help: one line for the list of commands.
    :param function: the name of its function in the module `commands`.
    :param arguments: its arguments.
    """

    name: str
    help: str
    function: str
    arguments: Sequence[Argument]


_STREAMS = Argument(
    ("--stream",),
    {
        "type": int,
        "action": "append",
        "metavar": "NUMBER",
        "help": "a stream's number, as `streams` lists it; may be repeated",
    },
)
_VENDOR = Argument(("--vendor",), {"help": f"all streams of a vendor: {registry.names()}"})
_YES = Argument(("-y", "--yes"), {"action": "store_true", "help": "don't ask"})
_OUTPUT = Argument(
    ("-o", "--output"), {"choices": ("table", "json"), "default": "table", "help": "form (default: %(default)s)"}
)

LEDGER = (
    Command("streams", "List what the ledger remembers: streams, entries, days", "streams", (_OUTPUT,)),
    Command(
        "forget",
        "Forget streams, or a user in them, or entries older than a number of days",
        "forget",
        (
            _STREAMS,
            _VENDOR,
            Argument(
                ("--user",),
                {"metavar": "ID", "help": "only this user, by the vendor's id or label; `-` reads it from the input"},
            ),
            Argument(("--older-than",), {"type": int, "metavar": "DAYS", "help": "only entries that are older"}),
            _YES,
        ),
    ),
    Command(
        "begin",
        "Begin a new ledger after the previous one was emptied, replaced or lost: everything is sent again",
        "begin",
        (_YES,),
    ),
    Command("export", "Write the entries as JSON lines: stream, key, fingerprint, day", "export", (_STREAMS, _VENDOR)),
)
LEDGER_HELP = "What earlier runs delivered, as recorded by tasks with incremental=True"
USERDATA_HELP = "Uploads of user data"
