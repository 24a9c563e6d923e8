"""The commands, declared for Airflow's command line. Their code is imported when one is called."""

from __future__ import annotations

from airflow_provider_userdata.airflow_compat import ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command
from airflow_provider_userdata.cli.arguments import LEDGER, LEDGER_HELP, USERDATA_HELP, Argument, Command


def get_cli_commands() -> list[CLICommand]:
    """Return the command group `userdata`, for Airflow."""
    ledger = GroupCommand(name="ledger", help=LEDGER_HELP, subcommands=tuple(map(_action, LEDGER)))
    return [GroupCommand(name="userdata", help=USERDATA_HELP, subcommands=(ledger,))]


def _action(command: Command) -> ActionCommand:
    return ActionCommand(
        name=command.name,
        help=command.help,
        func=lazy_load_command(f"airflow_provider_userdata.cli.commands.{command.function}"),
        args=tuple(_argument(argument) for argument in command.arguments),
    )


def _argument(argument: Argument) -> Arg:
    return Arg(tuple(argument.flags), **argument.options)  # type: ignore[no-untyped-call]
