"""The commands and their arguments, said once for Airflow's command line and for our own. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_userdata import registry


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, as `argparse` takes it."""

    flags: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command.

    :param function: of the module `commands`.
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
        "help": "a stream's number, as `streams` lists it; may repeat",
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
        "Forget streams, or a user in them, or what is older than so many days",
        "forget",
        (
            _STREAMS,
            _VENDOR,
            Argument(
                ("--user",),
                {"metavar": "ID", "help": "only this user, by the id or label that the vendor knows; `-` reads it"},
            ),
            Argument(("--older-than",), {"type": int, "metavar": "DAYS", "help": "only entries that are older"}),
            _YES,
        ),
    ),
    Command(
        "begin",
        "Begin a new ledger, where the one before was emptied, replaced or lost: all is sent again",
        "begin",
        (_YES,),
    ),
    Command("export", "Write the entries as JSON lines: stream, key, fingerprint, day", "export", (_STREAMS, _VENDOR)),
)
LEDGER_HELP = "What earlier runs delivered, as tasks with incremental=True remember it"
USERDATA_HELP = "Uploads of user data"
