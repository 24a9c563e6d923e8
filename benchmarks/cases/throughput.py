"""How many records a second: this project beside what people use, and beside the ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.contestants import (
    DLT,
    ELASTICSEARCH,
    HTTP_HOOK,
    OUR_OPERATOR,
    OUR_OPERATOR_BY_DEFAULT,
    REPLAY,
    SCHEMA_LOOP,
    VENDOR_LOOP,
    Contestant,
)
from benchmarks.data import Source
from benchmarks.measuring import Entry, Run, Stage, median
from benchmarks.tables import number, spread, table

LATENCIES = (0, 20, 100)
"""Milliseconds. The slow contestants send fewer records where answers take longer; rates are what is compared."""
Sizes = Mapping[Contestant, Sequence[int]]

GEROSENSE: Sizes = {
    OUR_OPERATOR: (1_000_000, 1_000_000, 1_000_000),
    VENDOR_LOOP: (200_000, 100_000, 50_000),
    SCHEMA_LOOP: (20_000, 20_000, 20_000),
    HTTP_HOOK: (200_000, 100_000, 50_000),
    DLT: (200_000, 200_000, 200_000),
    ELASTICSEARCH: (100_000, 100_000, 100_000),
    REPLAY: (1_000_000, 1_000_000, 1_000_000),
}
PTENGINE: Sizes = {
    OUR_OPERATOR: (100_000, 100_000, 100_000),
    VENDOR_LOOP: (50_000, 20_000, 5_000),
    REPLAY: (100_000, 100_000, 100_000),
}
THYMIA: Sizes = {
    OUR_OPERATOR: (50_000, 50_000, 10_000),
    OUR_OPERATOR_BY_DEFAULT: (20_000, 5_000, 1_000),
    VENDOR_LOOP: (2_000, 500, 100),
    REPLAY: (50_000, 50_000, 10_000),
}
HEADINGS = ("", "records", "records/s", "lowest to highest", "times the loop", "CPU s a million", "peak memory, MB")


def gerosense(stage: Stage) -> str:
    """Send samples from JSON Lines, 1000 a request, 16 requests in flight for those that can."""
    return _compare(stage, "gerosense", GEROSENSE, (3, 5, 3))


def ptengine(stage: Stage) -> str:
    """Send users of twelve fields from CSV, 100 a request, 16 requests in flight for those that can."""
    return _compare(stage, "ptengine", PTENGINE, (3, 3, 3))


def thymia(stage: Stage) -> str:
    """Send records from JSON Lines, one a request, 64 requests in flight for those that can."""
    return _compare(stage, "thymia", THYMIA, (3, 3, 3))


def _compare(stage: Stage, vendor: str, sizes: Sizes, rounds: Sequence[int]) -> str:
    tables = []
    for index, latency in enumerate(LATENCIES):
        if stage.quick and latency != 20:
            continue
        entries = [
            Entry(contestant, Source(vendor, stage.size(records[index])), latency)
            for contestant, records in sizes.items()
        ]
        turns = stage.rounds(rounds[index])
        runs = stage.in_turns(entries, turns, f"{vendor}, {latency} ms")
        tables.append(f"Answers after {latency} ms; rounds: {turns}\n\n{_table(runs)}")
    return "\n".join(tables)


def _table(runs: Mapping[Entry, Sequence[Run]]) -> str:
    loop = next(median(done, _rate) for entry, done in runs.items() if entry.contestant == VENDOR_LOOP)
    return table(HEADINGS, [_row(entry, done, loop) for entry, done in runs.items()])


def _row(entry: Entry, runs: Sequence[Run], loop: float) -> list[str]:
    rate = median(runs, _rate)
    return [
        entry.contestant.title,
        f"{entry.source.records:,}",
        number(rate),
        spread(run.rate for run in runs),
        number(rate / loop),
        number(median(runs, lambda run: run.cpu / run.records * 1e6)),
        f"{max(run.peak_megabytes for run in runs):.0f}",
    ]


def _rate(run: Run) -> float:
    return run.rate
