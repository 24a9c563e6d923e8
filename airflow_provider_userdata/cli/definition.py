"""All commands, declared once for Airflow's command line and for our own."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from airflow_provider_userdata.cli.check_arguments import CHECK
from airflow_provider_userdata.cli.declared import Command, Group
from airflow_provider_userdata.cli.ledger_arguments import LEDGER
from airflow_provider_userdata.cli.replay_arguments import REPLAY
from airflow_provider_userdata.cli.run_arguments import CLEAN, ERASE, FIND, HELD, REJECTS, REPORT, RUNS
from airflow_provider_userdata.cli.sandbox_arguments import SANDBOX
from airflow_provider_userdata.suggestions import alike

HELP = "Uploads of user data: check records before a run, and see what became of them after it"
_WIDTH = 98
"""Characters of a line of help: that is as wide as many terminals are."""
COMMANDS: tuple[Command | Group, ...] = (
    CHECK,
    RUNS,
    REPORT,
    REJECTS,
    REPLAY,
    HELD,
    FIND,
    ERASE,
    CLEAN,
    LEDGER,
    SANDBOX,
)


class _Parser(argparse.ArgumentParser):
    """Takes options by their whole names only, and says what to do about others, and values that look like one."""

    options: Sequence[str] = ()
    """The names of the command's options."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a command's arguments: what it doesn't know is an error here, where the others are known."""
        found, unknown = super().parse_known_args(args, namespace)
        for one in unknown if self.options else ():
            if one.startswith("--"):
                name = one.partition("=")[0]
                self.error(f"there is no option {name}.{alike(name, self.options)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print how the command is called, and what is wrong."""
        if "expected one argument" in message or "unrecognized arguments: -" in message:
            message += ". A value that begins with - is written as in --user=-x; a DAG or a task, behind --"
        super().error(message)


def parser(program: str = "python -m airflow_provider_userdata") -> argparse.ArgumentParser:
    """Return what reads a command line.

    :param program: what people type before the command's name.
    """
    whole = _Parser(prog=program, description=HELP, allow_abbrev=False)
    names = whole.add_subparsers(metavar="COMMAND", required=True)
    for one in COMMANDS:
        if isinstance(one, Command):
            _add(names, one)
        else:
            own = names.add_parser(one.name, help=one.help, description=one.help)
            within = own.add_subparsers(metavar="COMMAND", required=True)
            for command in one.commands:
                _add(within, command)
    return whole


def get_cli_commands() -> list[Any]:
    """Return the command group `userdata`, for Airflow."""
    from airflow_provider_userdata.cli.for_airflow import group

    return [group("userdata", HELP, COMMANDS)]


def _add(parsers: Any, command: Command) -> None:
    own = parsers.add_parser(
        command.name,
        help=command.help,
        description=textwrap.fill(command.help, _WIDTH),
        epilog=command.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    own.options = [flag for one in command.arguments for flag in one.flags if flag.startswith("--")]
    for one in command.arguments:
        own.add_argument(*one.flags, **one.options)
    own.set_defaults(function=command)
