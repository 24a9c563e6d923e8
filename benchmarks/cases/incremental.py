"""What `incremental=True` costs where all is new, and how fast it is where nothing is."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Run, Stage, median
from benchmarks.places import say
from benchmarks.tables import median_and_spread, number, ratios, table

RECORDS = {"gerosense": 1_000_000, "ptengine": 100_000}
LATENCY = 20
HEADINGS = ("", "run", "records/s", "share of the pace without", "CPU s a million")


def incremental(stage: Stage) -> str:
    """Send without a ledger, with all new and with nothing new: SQLite, the default; answers after 20 ms."""
    rows: list[list[str]] = []
    for vendor, records in RECORDS.items():
        without, first, again = _rounds(stage, Source(vendor, stage.size(records)))
        plain = [run.rate for run in without]
        for name, runs in (("without a ledger", without), ("all new", first), ("nothing new", again)):
            rates = [run.rate for run in runs]
            cpu = number(median(runs, lambda run: run.cpu / run.records * 1e6))
            rows.append([vendor, name, median_and_spread(rates), median_and_spread(ratios(rates, plain)), cpu])
    return table(HEADINGS, rows)


def _rounds(stage: Stage, source: Source) -> tuple[Sequence[Run], Sequence[Run], Sequence[Run]]:
    without, first, again = [], [], []
    for turn in range(stage.rounds(3)):
        options = (("incremental", True), ("ledger_stream", f"{source.vendor}, round {turn}"))
        without.append(stage.run(Entry(OUR_OPERATOR, source, LATENCY)))
        first.append(stage.run(Entry(OUR_OPERATOR, source, LATENCY, options)))
        again.append(stage.run(Entry(OUR_OPERATOR, source, LATENCY, options, sends=False)))
        rates = ", ".join(f"{runs[-1].rate:,.0f}" for runs in (without, first, again))
        say(f"  incremental, {source.vendor}, round {turn + 1}: {rates} records/s")
    return without, first, again
