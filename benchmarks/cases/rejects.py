"""What rejects cost: each is explained with all its faults and written down whole."""

from __future__ import annotations

from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.tables import median_and_spread, ratios, table

SAMPLES = 1_000_000
SHARES = {"none": 0, "1 %": 100, "10 %": 10}
"""Of how many samples one has a fault."""


def rejects(stage: Stage) -> str:
    """GeroSense, answers after 20 ms: nine kinds of fault, in equal parts; shares are of the same round's first run."""
    entries = {
        name: Entry(OUR_OPERATOR, Source("gerosense", stage.size(SAMPLES), every), 20, options=(("max_rejected", 0.5),))
        for name, every in SHARES.items()
    }
    runs = stage.in_turns(entries.values(), stage.rounds(3), "rejects")
    rates = {name: [run.rate for run in runs[entry]] for name, entry in entries.items()}
    rows = [
        [name, median_and_spread(rate), median_and_spread(ratios(rate, rates["none"]))] for name, rate in rates.items()
    ]
    return table(("samples with a fault", "samples/s", "share of the pace without"), rows)
