"""What a delivery adds to the memory of an idle Airflow task, whatever the source's size."""

from __future__ import annotations

from benchmarks.contestants import OUR_OPERATOR
from benchmarks.data import Source
from benchmarks.measuring import Entry, Stage
from benchmarks.places import say
from benchmarks.tables import number, table

SIZES = (100_000, 1_000_000, 5_000_000)


def memory(stage: Stage) -> str:
    """GeroSense, answers after 20 ms: peak of resident memory during `execute`, less what was resident right before.

    Each size has a process of its own, so that none finds room that an earlier one left.
    """
    rows = []
    for size in SIZES[:2] if stage.quick else SIZES:
        entry = Entry(OUR_OPERATOR, Source("gerosense", stage.size(size)), 20)
        worker = stage.fresh_worker(OUR_OPERATOR)
        run = stage.run(entry, worker)
        worker.close()
        before = run.peak_megabytes - run.grown_megabytes
        rows.append([f"{run.records:,}", number(before), number(run.peak_megabytes), number(run.grown_megabytes)])
        say(f"  memory, {run.records:,} samples: {run.grown_megabytes:.1f} MB")
    return table(("samples", "before `execute`, MB", "peak, MB", "added, MB"), rows)
