"""The same records from every kind of source: none should be much slower than the kind that is read fastest."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import forms
from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Run, Stage, median
from benchmarks.places import say
from benchmarks.tables import median_and_spread, number, ratios, table


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source.

    :param form: in which form our operator gets it.
    :param ending: of the file with the records in that form; empty for the vendor's usual one.
    :param least: the share of the first kind's pace that is asked of it.
    """

    title: str
    least: float
    form: str = "file"
    ending: str = ""


GEROSENSE = (
    Kind("JSON Lines", 1),
    Kind("JSON Lines, gz", 0.5, ending=".jsonl.gz"),
    Kind("CSV", 0.5, ending=".csv"),
    Kind("CSV, gz", 0.5, ending=".csv.gz"),
    Kind("SQLite", 0.5, "sqlite", ".db"),
    Kind("PostgreSQL", 0.5, "postgres"),
    Kind("a generator of dictionaries", 0.5, "generator"),
    Kind("a list of dictionaries", 0.5, "list"),
    Kind("Parquet", 0.7, "parquet", ".parquet"),
    Kind("a pandas frame", 0.7, "frame", ".csv"),
)
PTENGINE = (
    Kind("CSV", 1),
    Kind("PostgreSQL", 0.9, "postgres"),
    Kind("Parquet", 0.9, "parquet", ".parquet"),
)
MOST_MEGABYTES = 10.0
"""How much more memory than the first kind's a delivery may take."""
RECORDS = {"gerosense": 1_000_000, "ptengine": 100_000}
LATENCY = 20
HEADINGS = (
    "",
    "records/s",
    "share of the first's",
    "asked",
    "CPU µs a record",
    "times the first's",
    "added, MB",
    "above the first's, MB",
    "asked",
)


def sources(stage: Stage) -> str:
    """Send with answers after 20 ms: samples to GeroSense, users of twelve fields to Ptengine.

    Each kind has a process of its own. Shares are of the same round's first kind; memory is the peak during the first
    round's `execute`, less what was resident right before: a list's, a frame's and a library's own memory not counted.
    The generator yields dictionaries that are there: to make them is its author's work.
    """
    with forms.postgres_address() as postgres:
        return "\n".join(
            f"{title}\n\n{_table(kinds, _measured(stage, vendor, kinds, postgres))}"
            for title, vendor, kinds in (("GeroSense", "gerosense", GEROSENSE), ("Ptengine", "ptengine", PTENGINE))
        )


def _measured(stage: Stage, vendor: str, kinds: Sequence[Kind], postgres: str) -> Mapping[Kind, Sequence[Run]]:
    source = Source(vendor, stage.size(RECORDS[vendor]))
    forms.fill_postgres(postgres, source)
    entries = {
        kind: Entry(OUR_OPERATOR, source, LATENCY, form=kind.form, place=_place(kind, source, postgres))
        for kind in kinds
    }
    runs: dict[Kind, list[Run]] = {kind: [] for kind in kinds}
    workers = {kind: stage.fresh_worker(OUR_OPERATOR) for kind in kinds}
    rounds = stage.rounds(5)
    for turn in range(rounds):
        for kind, entry in entries.items():
            runs[kind].append(stage.run(entry, workers[kind]))
            say(f"  sources, {vendor}, round {turn + 1} of {rounds}: {kind.title} {runs[kind][-1].rate:,.0f} records/s")
    for worker in workers.values():
        worker.close()
    return runs


def _place(kind: Kind, source: Source, postgres: str) -> str:
    if kind.form == "postgres":
        return postgres
    return str(forms.made(source, kind.ending) if kind.ending else source.made())


def _table(kinds: Sequence[Kind], runs: Mapping[Kind, Sequence[Run]]) -> str:
    first = runs[kinds[0]]
    return table(HEADINGS, [_row(kind, runs[kind], first) for kind in kinds])


def _row(kind: Kind, runs: Sequence[Run], first: Sequence[Run]) -> list[str]:
    rates, costs = ([[of(run) for run in one] for one in (runs, first)] for of in (_rate, _cost))
    above = runs[0].grown_megabytes - first[0].grown_megabytes
    is_first = runs is first
    return [
        kind.title,
        number(median(runs, _rate)),
        "1" if is_first else median_and_spread(ratios(*rates)),
        "" if is_first else f"at least {kind.least}",
        number(median(runs, _cost)),
        "1" if is_first else number(statistics.median(ratios(*costs))),
        number(runs[0].grown_megabytes),
        "" if is_first else f"{above:.1f}",
        "" if is_first else f"at most {MOST_MEGABYTES:g}",
    ]


def _rate(run: Run) -> float:
    return run.rate


def _cost(run: Run) -> float:
    return run.cpu / run.records * 1e6
