"""The commands without Airflow's command line, which before 3.0 has none of providers: ``check`` needs no Airflow."""

from __future__ import annotations

import sys
from collections.abc import Sequence

_INTERRUPTED = 130
"""The exit code that shells give to a program that Ctrl+C ended."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command.

    :param arguments: the command line, without the program's name.
    """
    try:
        from airflow_provider_userdata.cli.definition import parser  # it takes a moment, in which somebody may stop it

        asked = parser().parse_args(arguments)
        asked.function(asked)
    except KeyboardInterrupt:
        sys.stderr.write("\nuserdata: stopped\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
