"""The commands without Airflow's command line, which before 3.0 has none of providers: ``check`` needs no Airflow."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_userdata.cli.definition import parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    :param arguments: the command line, without the program's name.
    """
    asked = parser().parse_args(arguments)
    asked.function(asked)


if __name__ == "__main__":
    main()
