"""The commands in the form that Airflow's command line takes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from airflow_provider_userdata.airflow_compat import ActionCommand, Arg, CLICommand, GroupCommand
from airflow_provider_userdata.cli.declared import Command, Group


class WholeArg(Arg):
    """An argument that is only taken by its whole name: a mistyped `--field` would silently be `--fields`."""

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        """Add it to a command's parser, which is Airflow's."""
        parser.allow_abbrev = False
        super().add_to_parser(parser)


def group(name: str, text: str, commands: Sequence[Command | Group]) -> GroupCommand:
    """Return commands that share a name.

    :param text: what their help says.
    """
    return GroupCommand(name, text, tuple(map(_command, commands)))


def _command(one: Command | Group) -> CLICommand:
    if isinstance(one, Group):
        return group(one.name, one.help, one.commands)
    arguments = [WholeArg(each.flags, **each.options) for each in one.arguments]  # type: ignore[no-untyped-call]
    return ActionCommand(one.name, one.help, one, arguments, one.help, one.epilog)
