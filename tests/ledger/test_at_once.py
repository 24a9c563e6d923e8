"""Runs of one stream at once, in threads and in processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import SqlLedger, Stream

SECRET = b"a secret of the tests' own"
ROUNDS = 30
USERS = 20

RUN = f"""
import sys
from airflow_provider_userdata.fingerprints import Fingerprints
from airflow_provider_userdata.ledger import SqlLedger, Stream
url, run, keyed = sys.argv[1], sys.argv[2], sys.argv[3] == "keyed"
of = Fingerprints({SECRET!r}).of_all
ledger = SqlLedger(url, Stream("vendor"), keyed=keyed, run=run, secret={SECRET!r})
ledger.open()
for round in range({ROUNDS}):
    first = 0 if keyed else round * {USERS}
    names = [str(n) for n in range(first, first + (1 if keyed else 2) * {USERS})]
    keys = of(name.encode() for name in names)
    fingerprints = of(f"{{run}} {{round}} {{name}}".encode() for name in names) if keyed else b""
    chosen = ledger.sift(keys, fingerprints)
    pick = lambda joined: b"".join(joined[i * 16 : i * 16 + 16] for i in chosen)
    ledger.mark_delivered(pick(keys), pick(fingerprints))
ledger.close()
"""


def in_processes(url: str, keyed: str) -> None:
    """Let two processes use a ledger that is not there yet."""
    started = [subprocess.Popen([sys.executable, "-c", RUN, url, run, keyed], stderr=subprocess.PIPE) for run in "ab"]
    for process in started:
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said.decode()


def test_two_processes_mark_all(database: str, new_ledger: Callable[..., SqlLedger]) -> None:
    """Neither fails, not even at making the schema, and all that they marked is there."""
    in_processes(database, "records")
    keys = Fingerprints(SECRET).of_all(str(n).encode() for n in range((ROUNDS + 1) * USERS))
    assert new_ledger(Stream("vendor")).sift(keys) == []


def test_two_processes_claim_the_same_users(database: str, new_ledger: Callable[..., SqlLedger]) -> None:
    """Neither fails, and neither waits for the other in a circle; what is unknown in the end is sent again."""
    in_processes(database, "keyed")
    names = [str(n) for n in range(USERS)]
    of = Fingerprints(SECRET).of_all
    keys = of(name.encode() for name in names)
    ledger = new_ledger(Stream("vendor"), keyed=True)
    held = [
        {*ledger.sift(keys, of(f"{run} {ROUNDS - 1} {name}".encode() for name in names))} ^ {*range(USERS)}
        for run in "ab"
    ]
    assert not held[0] & held[1]


@pytest.mark.usefixtures("statements")
def test_threads_never_believe_what_isnt_so(database: str) -> None:
    """Of many runs that send at will, whatever the ledger says in the end is what the vendor took last."""
    fingerprints = Fingerprints(SECRET)

    def of(text: bytes) -> bytes:
        return fingerprints.of_all([text])

    vendor: dict[str, str] = {}
    failed: list[Exception] = []

    def run(name: str) -> None:
        try:
            ledger = opened(name)
            for turn in range(ROUNDS):
                user, value = str(turn % 3), f"{name} {turn}"
                if ledger.sift(of(user.encode()), of(value.encode())):
                    vendor[user] = value
                    ledger.mark_delivered(of(user.encode()), of(value.encode()))
            ledger.close()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    def opened(name: str) -> Any:
        ledger = SqlLedger(database, Stream("vendor"), keyed=True, run=name, secret=SECRET)
        ledger.open()
        return ledger

    threads = [threading.Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    last = opened("last")
    every = [f"{name} {turn}" for name in "abcd" for turn in range(ROUNDS)]
    for user in vendor:
        with last._database.reading() as connection:
            rows = last._database.entries._rows(connection, last._id, [of(user.encode())])
            (fingerprint,) = [row.fingerprint for row in rows]
        said = [value for value in every if of(value.encode()) == fingerprint]
        assert said in ([], [vendor[user]])
    last.close()
