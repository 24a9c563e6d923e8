"""The same commands without Airflow's command line, which before 3.0 has no commands of providers."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from airflow_provider_userdata.cli.arguments import LEDGER, LEDGER_HELP, USERDATA_HELP


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    :param arguments: the command line, without the program's name.
    """
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_userdata.cli", description=USERDATA_HELP)
    groups = parser.add_subparsers(metavar="GROUP", required=True)
    ledger = groups.add_parser("ledger", help=LEDGER_HELP, description=LEDGER_HELP)
    commands = ledger.add_subparsers(metavar="COMMAND", required=True)
    for command in LEDGER:
        own = commands.add_parser(command.name, help=command.help, description=command.help)
        for argument in command.arguments:
            own.add_argument(*argument.flags, **argument.options)
        own.set_defaults(function=command.function)
    asked = parser.parse_args(arguments)
    getattr(importlib.import_module("airflow_provider_userdata.cli.commands"), asked.function)(asked)


if __name__ == "__main__":
    main()
