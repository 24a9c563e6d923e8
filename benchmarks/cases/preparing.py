"""What reading, checking and encoding a sample costs, beside the least it can."""

from __future__ import annotations

from benchmarks.contestants import OUR_OPERATOR, STRUCT_LOOP
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.tables import median_and_spread, ratios, table

SAMPLES = 1_000_000


def preparing(stage: Stage) -> str:
    """GeroSense, nothing sent: the operator with `validate_only`, and `msgspec` alone, on the same lines in turns.

    The operator also checks timestamps and their order, numbers the samples, batches them, and keeps count. What it
    would send is encoded, too.
    """
    source = Source("gerosense", stage.size(SAMPLES))
    ours = Entry(OUR_OPERATOR, source, 0, options=(("validate_only", True),), sends=False)
    alone = Entry(STRUCT_LOOP, source, 0, sends=False)
    runs = stage.in_turns([ours, alone], stage.rounds(5), "preparing")
    costs = {entry: [run.cpu / run.records * 1e6 for run in done] for entry, done in runs.items()}
    rows = [
        [entry.contestant.title, median_and_spread(cost), median_and_spread(ratios(cost, costs[alone]))]
        for entry, cost in costs.items()
    ]
    return table(("", "CPU µs a sample", "times `msgspec` alone"), rows)
