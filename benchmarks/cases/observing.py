"""What it costs to show an upload while it runs."""

from __future__ import annotations

from benchmarks.contestants import OBSERVED, UNOBSERVED
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.tables import median_and_spread, ratios, table

SAMPLES = 5_000_000


def observing(stage: Stage) -> str:
    """GeroSense, answers after 20 ms. All on: log, XCom, metrics and span, every second instead of every five."""
    source = Source("gerosense", stage.size(SAMPLES))
    entries = [Entry(contestant, source, 20) for contestant in (UNOBSERVED, OBSERVED)]
    runs = stage.in_turns(entries, stage.rounds(5), "observing")
    rates = {entry: [run.rate for run in done] for entry, done in runs.items()}
    rows = [
        [
            entry.contestant.title,
            median_and_spread(rate),
            median_and_spread(ratios(rate, rates[entries[0]])),
            median_and_spread(run.cpu for run in runs[entry]),
        ]
        for entry, rate in rates.items()
    ]
    return table((f"{source.records:,} samples", "samples/s", "share of the pace without", "CPU s"), rows)
