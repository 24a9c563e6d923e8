"""The commands of the ledger."""

from __future__ import annotations

import json
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from airflow_provider_userdata.cli.printing import confirm, said, structured, table, user_of
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.ledger import Found, LedgerAdmin, StreamSummary, open_admin
from airflow_provider_userdata.operators.ledger_settings import (
    begin_ledger,
    find_ledger,
    ledger_database,
    ledger_secret,
)

_COLUMNS = ("stream", "vendor", "address", "kind", "user", "name", "holds", "entries", "first", "last", "used")


@contextmanager
def open_ledger() -> Iterator[LedgerAdmin]:
    """Open the ledger that Airflow's settings name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's warnings would mix with the exported lines
        database, place = ledger_database()
    with open_admin(database, place) as ledger:
        yield ledger


@said()
def streams(asked: Namespace) -> None:
    """List the streams."""
    with open_ledger() as ledger:
        rows = [_row(stream) for stream in ledger.streams()]
    if asked.output != "table":
        print(structured(rows, asked.output))
    else:
        print(table(rows) if rows else "The ledger holds no streams.")


@said()
def forget(asked: Namespace) -> None:
    """Forget streams, a user, or old entries."""
    if asked.user is not None and asked.older_than is not None:
        raise ArgumentError("--user and --older-than don't go together")
    if asked.older_than is not None and asked.older_than < 1:
        raise ArgumentError("--older-than: must be at least 1 day")
    if asked.user is None and asked.older_than is None and not (asked.stream or asked.vendor):
        raise ArgumentError("name what to forget: --stream, --vendor, --user or --older-than")
    user = None if asked.user is None else user_of(asked.user)
    what = "a user" if user is not None else "old entries" if asked.older_than is not None else "all entries"
    with open_ledger() as ledger:
        chosen = chosen_streams(ledger, asked)
        numbers = [stream.id for stream in chosen]
        among = ", ".join(map(str, numbers)) or "none"
        confirm(asked, f"Forget {what} of the streams {among}? Tasks will send those records again.", "forgotten")
        if user is not None:
            forgotten = ledger.forget_user(user, ledger_secret(), chosen)
        elif asked.older_than is not None:
            forgotten = ledger.expire(asked.older_than, datetime.now(UTC).date(), numbers)
        else:
            forgotten = sum(map(ledger.forget_stream, numbers))
    print(f"Forgot {forgotten:,} entries.")


@said()
def begin(asked: Namespace) -> None:
    """Begin a new ledger, or accept another one in place of the previous one."""
    found = find_ledger()
    if found is None:
        print("There is no ledger yet: the first task with incremental=True creates it.")
        return
    if found is Found.WHOLE:
        print("The ledger is complete: nothing to do. To send records again, forget their streams.")
        return
    question = (
        "Use this ledger from now on? Tasks on this machine have used another one before: records that only the other "
        "one knows as delivered are sent again."
        if found is Found.ANOTHER
        else "Begin a new ledger? What is left of the previous one is forgotten, and everything is sent again."
    )
    confirm(asked, question, "changed")
    begin_ledger(keep=found is Found.ANOTHER)
    print("The new ledger is ready.")


@said()
def export(asked: Namespace) -> None:
    """Write the entries."""
    with open_ledger() as ledger:
        for line in ledger.export([stream.id for stream in chosen_streams(ledger, asked)]):
            print(json.dumps(line))


def chosen_streams(ledger: LedgerAdmin, asked: Namespace) -> list[StreamSummary]:
    """Return the streams that the arguments select; all if they select none."""
    every = ledger.streams()
    missing = sorted({*(asked.stream or ())} - {stream.id for stream in every})
    if missing:
        raise ArgumentError(f"--stream: the ledger has no stream {missing[0]}")
    vendors = sorted({stream.vendor for stream in every})
    if asked.vendor and asked.vendor not in vendors:
        raise ArgumentError(f"--vendor: the ledger has streams of {', '.join(vendors) or 'no vendor'}, not of this one")
    return [
        stream
        for stream in every
        if (not asked.stream or stream.id in asked.stream) and (not asked.vendor or stream.vendor == asked.vendor)
    ]


def _row(stream: StreamSummary) -> dict[str, Any]:
    shown = {"stream": stream.id, "user": stream.owner[:8], "holds": "users" if stream.keyed else "records"}
    shown |= {**asdict(stream), "used": stream.used.isoformat(timespec="minutes")}
    return {name: shown[name] for name in _COLUMNS}
