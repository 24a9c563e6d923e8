"""Calls a function on each value of a chunk, as fast as `map`, although it may raise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Value = TypeVar("Value")
Result = TypeVar("Result")


def each(
    function: Callable[[Value], Result],
    values: Iterable[Value],
    errors: type[Exception] | tuple[type[Exception], ...],
    instead: Result,
) -> tuple[list[Result], list[int]]:
    """Return the results, as `map` does, and the indices of the values for which the function raises.

    :param errors: the exceptions that the function may raise.
    :param instead: the result where it raises.
    """
    results: list[Result] = []
    raised: list[int] = []
    left = iter(values)
    while True:
        try:
            results.extend(map(function, left))  # keeps what came before an exception
        except errors:
            raised.append(len(results))
            results.append(instead)
        else:
            return results, raised
