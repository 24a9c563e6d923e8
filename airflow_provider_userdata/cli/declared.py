"""How a command is declared, for any command line: its code is imported when it is called."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from airflow_provider_userdata.cli.printing import said


@dataclass(frozen=True)
class Argument:
    """An argument, as `argparse` takes it."""

    flags: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Command:
    """A command.

    :param path: the module and the function, which takes the parsed arguments.
    :param epilog: what its help says last, such as an example.
    """

    name: str
    help: str
    path: str
    arguments: tuple[Argument, ...] = ()
    epilog: str | None = None

    def function(self) -> Callable[[argparse.Namespace], None]:
        """Import and return what runs it."""
        module, _, name = self.path.rpartition(".")
        found: Callable[[argparse.Namespace], None] = getattr(import_module(f"{__package__}.{module}"), name)
        return found

    def __call__(self, asked: argparse.Namespace) -> None:
        """Run it. Its code may import Airflow, which takes seconds: somebody may stop it, as later on."""
        with said():
            function = self.function()
        function(asked)


@dataclass(frozen=True)
class Group:
    """Commands that share a name."""

    name: str
    help: str
    commands: tuple[Command, ...] = field(default_factory=tuple)


def argument(*flags: str, **options: Any) -> Argument:
    """Declare an argument."""
    return Argument(flags, options)


OUTPUT = argument(
    "-o", "--output", choices=("table", "json", "yaml"), default="table", help="how to write it (default: %(default)s)"
)
OUTPUT_PATH = argument(
    "--output-path",
    metavar="PATH",
    help="where the task writes, if it has an output_path of its own (default: Airflow's setting)",
)
SUBDIR = argument("--subdir", metavar="PATH", help="the DAG's file, or a folder of DAGs (default: Airflow's setting)")
VERY_SURE = argument("-y", "--yes", action="store_true", help="don't ask")
