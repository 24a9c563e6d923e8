"""``python -m benchmarks [--quick] [case ...]``: measure, print tables, and write RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import results
from benchmarks.cases import CASES
from benchmarks.measuring import Stage
from benchmarks.places import BenchmarkError, say


def main() -> int:
    """Measure the cases that are named, or all, and give the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"one of {', '.join(CASES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: to see that all works")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.cases) - set(CASES)):
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    try:
        measure(asked.cases or list(CASES), quick=asked.quick)
    except BenchmarkError as error:
        say(f"\n{error}")
        return 1
    return 0


def measure(names: list[str], *, quick: bool) -> None:
    """Measure, and write RESULTS.md unless the sizes are too small to mean anything."""
    began = time.monotonic()
    with Stage(quick=quick) as stage:
        for name in names:
            title, case = CASES[name]
            say(f"{title}…")
            load = results.load()
            text = results.section(name, title, case, case(stage), load)
            print(f"\n{text}", flush=True)
            if not quick:
                file = results.keep(title, text, [other for other, _ in CASES.values()])
                say(f"Written: benchmarks/{file.name}")
    say(f"Done in {(time.monotonic() - began) / 60:.1f} minutes.")


if __name__ == "__main__":
    sys.exit(main())
