"""The command `userdata sandbox`."""

from __future__ import annotations

import sys
from argparse import Namespace


def sandbox(asked: Namespace) -> None:
    """Run the sandbox."""
    from airflow_provider_userdata.sandbox.__main__ import run

    try:
        sys.exit(run(asked))
    except ValueError as error:
        print(f"userdata: {error}", file=sys.stderr)
        sys.exit(2)
