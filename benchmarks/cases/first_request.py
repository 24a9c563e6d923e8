"""How soon the first request goes out: not after the whole source was read."""

from __future__ import annotations

from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.tables import median_and_spread, table

SIZES = (100_000, 5_000_000)


def first(stage: Stage) -> str:
    """GeroSense, from the beginning of `execute` until the server has the head of the first request with samples."""
    entries = [Entry(OUR_OPERATOR, Source("gerosense", stage.size(size)), 20) for size in SIZES]
    runs = stage.in_turns(entries, stage.rounds(3), "first request")
    rows = [
        [f"{entry.source.records:,}", median_and_spread(run.server["first"] - run.began for run in done)]
        for entry, done in runs.items()
    ]
    return table(("samples in the file", "seconds to the first request"), rows)
