"""The same commands without Airflow's command line, which before 3.0 has no commands of providers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from airflow_provider_userdata.cli.definition import GROUPS, HELP


def parser() -> argparse.ArgumentParser:
    """Return what reads a command line."""
    whole = argparse.ArgumentParser(prog="python -m airflow_provider_userdata.cli", description=HELP)
    groups = whole.add_subparsers(metavar="GROUP", required=True)
    for group in GROUPS:
        commands = groups.add_parser(group.name, help=group.help, description=group.help).add_subparsers(
            metavar="COMMAND", required=True
        )
        for command in group.subcommands:
            own = commands.add_parser(command.name, help=command.help, description=command.help)
            for argument in command.args:
                argument.add_to_parser(own)
            own.set_defaults(function=command.func)
    return whole


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    :param arguments: the command line, without the program's name.
    """
    asked = parser().parse_args(arguments)
    asked.function(asked)


if __name__ == "__main__":
    main()
