"""The command `userdata find`: was this user sent, when, with which receipt; and if not, why."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict

from airflow_provider_userdata.cli.mentions import Mentions
from airflow_provider_userdata.cli.printing import said, structured, user_of
from airflow_provider_userdata.cli.traces import shown, traces_of
from airflow_provider_userdata.cli.user_search import look_for
from airflow_provider_userdata.operators.output_paths import output_root

NOT_FOUND = 1
"""The exit code if nothing is found."""


@said()
def find(asked: Namespace) -> None:
    """Look for a user in receipts, rejects, held records and the ledger."""
    user = Mentions(user_of(asked.user), asked.field or ())
    root = output_root(asked.output_path)
    found = look_for(user, root, asked.dag_id, asked.task_id, kept=asked.kept)
    traces = list(traces_of(found))
    if asked.output != "table":
        print(structured({"found": [asdict(one) for one in traces], "notes": found.notes()}, asked.output))
    else:
        print("\n".join(map(shown, traces)) or found.nowhere(root))
        print("\n".join(["", *found.notes()]))
    sys.exit(0 if traces else NOT_FOUND)
