"""Calls a function on each value of a chunk, without a step of the interpreter for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Value = TypeVar("Value")
Result = TypeVar("Result")
Instead = TypeVar("Instead")


def each(
    function: Callable[[Value], Result],
    values: Iterable[Value],
    errors: type[Exception] | tuple[type[Exception], ...],
    instead: Instead,
) -> list[Result | Instead]:
    """Give the results, as `map` does, and go on where the function raises.

    :param errors: what it may raise.
    :param instead: what stands in the place of a result then.
    """
    results: list[Result | Instead] = []
    left = iter(values)
    while True:
        try:
            results.extend(map(function, left))  # keeps what came before an exception
        except errors:
            results.append(instead)
        else:
            return results
