"""Measures the ledger alone: ``BATCH=1000 python benchmarks/ledger.py [entries] [url]``.

Keys come as a source gives them: in partitions, as GeroSense's samples of some days do (`PARTITION=10000` in each), in
order (`near`: each begins with a number one greater), and in none (`far`).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import make_url

from airflow_provider_userdata.fingerprints import KEY_SIZE, Fingerprints, split
from airflow_provider_userdata.ledger import SqlLedger, Stream

BATCH = int(os.environ.get("BATCH", "1000"))
PARTITION = int(os.environ.get("PARTITION", "10000"))
SAMPLE = 500_000
SECRET = b"a secret of the benchmark's own"


def batches(count: int, order: str, *, seed: int) -> Iterator[bytes]:
    """Give joined keys, the same for the same seed."""
    fingerprints = Fingerprints(f"{seed:016}".encode())
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        digests = split(fingerprints.of_all(b"%d" % number for number in numbers))
        if order == "near":
            digests = [number.to_bytes(4, "big") + digest[4:] for number, digest in zip(numbers, digests, strict=True)]
        elif order == "partitions":
            names = [b"%d" % (number // PARTITION) for number in numbers]
            digests = split(fingerprints.keys_by_partition(digests, names, 4)[0])
        yield b"".join(digests)


def rate(call: Callable[[bytes], object], joined: list[bytes]) -> tuple[float, float]:
    """Give keys a second, and microseconds of the process's CPU a key."""
    keys = sum(map(len, joined)) // KEY_SIZE
    seconds, cpu = time.perf_counter(), time.process_time()
    for some in joined:
        call(some)
    return keys / (time.perf_counter() - seconds), (time.process_time() - cpu) / keys * 1e6


def measure(url: str, count: int, order: str) -> None:
    """Print the rows of one order of keys."""
    ledger = SqlLedger(url, Stream("benchmark", kind=order), keyed=False, run="a", secret=SECRET)
    ledger.open()
    every = list(batches(count, order, seed=1))
    name = f"{order}, {count:,}"
    half = len(every) // 2
    for label, call, joined in (
        ("mark, the first half", ledger.mark_delivered, every[:half]),
        ("mark, the second half", ledger.mark_delivered, every[half:]),
        ("sift, all unchanged", ledger.sift, every[:: max(1, count // SAMPLE)]),
        ("sift, all new", ledger.sift, list(batches(min(count, SAMPLE), order, seed=2))),
    ):
        keys, cpu = rate(call, joined)
        print(f"| {name} | {label} | {keys:,.0f} | {cpu:.2f} |", flush=True)
    ledger.close()


def measure_states(url: str, count: int) -> None:
    """Print the rows of a stream of states."""
    ledger = SqlLedger(url, Stream("benchmark", kind="states"), keyed=True, run="a", secret=SECRET)
    ledger.open()
    every = list(batches(count, "far", seed=1))
    values = {some: os.urandom(len(some)) for some in every}
    for label, call in (
        ("sift, all new: claims", lambda some: ledger.sift(some, values[some])),
        ("mark", lambda some: ledger.mark_delivered(some, values[some])),
        ("sift, all unchanged", lambda some: ledger.sift(some, values[some])),
    ):
        keys, cpu = rate(call, every)
        print(f"| states, {count:,} | {label} | {keys:,.0f} | {cpu:.2f} |", flush=True)
    ledger.close()


def main() -> None:
    """Measure on SQLite, or on the database that is named."""
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        url = sys.argv[2] if sys.argv[2:] else f"sqlite:///{name}/ledger.db"
        print(f"{make_url(url).get_backend_name()}, {count:,} entries, {BATCH:,} keys a call\n")
        print("| keys | call | keys/s | CPU µs |\n|---|---|---|---|")
        measure(url, count, "partitions")
        if (file := Path(name, "ledger.db")).exists():
            print(f"| partitions, {count:,} | the file | {file.stat().st_size / 1e6:,.0f} MB | |", flush=True)
        for order in ("near", "far"):
            measure(url, min(count, 1_000_000), order)
        measure_states(url, 100_000)


if __name__ == "__main__":
    main()
