"""Calls a function on each value of a chunk, without a step of the interpreter for each of them."""

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
    """Give the results, as `map` does, and the places where the function raises.

    :param errors: what it may raise.
    :param instead: what stands in the place of a result then.
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
