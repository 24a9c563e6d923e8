"""What a second process brings: two shards of a mapped task, each with half of the samples."""

from __future__ import annotations

from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.places import say
from benchmarks.tables import median_and_spread, ratios, table

SAMPLES = 2_000_000


def shards(stage: Stage) -> str:
    """GeroSense, answers after 20 ms. Each shard is a process with a task of its own; both start at the same moment."""
    whole = Source("gerosense", stage.size(SAMPLES))
    workers = [stage.worker(OUR_OPERATOR, number) for number in (0, 1)]
    halves = [Entry(OUR_OPERATOR, Source("gerosense", whole.records, part=part), 20) for part in (1, 2)]
    alone, together = [], []
    for number in range(stage.rounds(3)):
        alone.append(stage.run(Entry(OUR_OPERATOR, whole, 20), workers[0]).seconds)
        runs = stage.run_together(halves, workers, whole)
        together.append(max(run.ended for run in runs) - min(run.began for run in runs))
        say(f"  shards, round {number + 1}: {alone[-1]:.2f} s alone, {together[-1]:.2f} s in two")
    rows = [
        ["one process with all", median_and_spread(alone), "1"],
        ["two processes with a half each", median_and_spread(together), median_and_spread(ratios(alone, together))],
    ]
    return table((f"{whole.records:,} samples", "seconds", "speed-up"), rows)
