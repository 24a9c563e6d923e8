"""All commands, declared once for Airflow's command line and for our own."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any, NoReturn

from airflow_provider_userdata import airflow_compat
from airflow_provider_userdata.cli.check_arguments import CHECK
from airflow_provider_userdata.cli.declared import Command, Group
from airflow_provider_userdata.cli.ledger_arguments import LEDGER
from airflow_provider_userdata.cli.replay_arguments import REPLAY
from airflow_provider_userdata.cli.run_arguments import CLEAN, ERASE, FIND, HELD, REJECTS, REPORT, RUNS
from airflow_provider_userdata.cli.sandbox_arguments import SANDBOX

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
    """Says what to do about a value that looks like an option."""

    def error(self, message: str) -> NoReturn:
        """Print how the command is called, and what is wrong."""
        if "expected one argument" in message or "unrecognized arguments: -" in message:
            message += ". A value that begins with - is written as in --user=-x; a DAG or a task, behind --"
        super().error(message)


def parser(program: str = "python -m airflow_provider_userdata") -> argparse.ArgumentParser:
    """Return what reads a command line.

    :param program: what people type before the command's name.
    """
    whole = _Parser(prog=program, description=HELP)
    names = whole.add_subparsers(metavar="COMMAND", required=True)
    for one in COMMANDS:
        if isinstance(one, Command):
            _add(names, one, program)
        else:
            own = names.add_parser(one.name, help=one.help, description=one.help)
            within = own.add_subparsers(metavar="COMMAND", required=True)
            for command in one.commands:
                _add(within, command, program)
    return whole


def get_cli_commands() -> list[Any]:
    """Return the command group `userdata`, for Airflow."""
    return [airflow_compat.GroupCommand("userdata", HELP, tuple(map(_for_airflow, COMMANDS)))]


def _add(parsers: Any, command: Command, program: str) -> None:
    own = parsers.add_parser(
        command.name,
        help=command.help,
        description=textwrap.fill(command.help, _WIDTH),
        epilog=command.epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for one in command.arguments:
        own.add_argument(*one.flags, **one.options)
    own.set_defaults(function=command, program=program)


def _for_airflow(one: Command | Group) -> Any:
    if isinstance(one, Group):
        return airflow_compat.GroupCommand(one.name, one.help, tuple(map(_for_airflow, one.commands)))
    arguments = [airflow_compat.Arg(each.flags, **each.options) for each in one.arguments]  # type: ignore[no-untyped-call]
    return airflow_compat.ActionCommand(one.name, one.help, one, arguments, one.help, one.epilog)
