"""Writes figures as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; all columns but the first hold numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def number(value: float) -> str:
    """Write a number with as many digits as mean something."""
    if value >= 100:
        digits = len(str(int(value)))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values: Iterable[float]) -> str:
    """Write the lowest and the highest."""
    values = list(values)
    return f"{number(min(values))} to {number(max(values))}"


def ratios(of: Sequence[float], to: Sequence[float]) -> list[float]:
    """Divide what was measured in the same round."""
    return [one / other for one, other in zip(of, to, strict=True)]


def median_and_spread(values: Iterable[float], unit: str = "") -> str:
    """Write the median, and the range in brackets."""
    values = list(values)
    return f"{number(statistics.median(values))}{unit} ({spread(values)})"
