"""Crashes of a process, without a process."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
NEVER = 10**9


class Crash(SystemExit):
    """The process is gone: nothing that runs after this reaches a disk, a ledger or a store."""


class Steps:
    """Counts down the steps until a crash.

    :param left: the number of the step that crashes; so do all later ones, as a dead process takes none.
    """

    def __init__(self, left: int = NEVER) -> None:
        self.left = left

    def __call__(self) -> None:
        """Take a step, or crash."""
        self.left -= 1
        if self.left <= 0:
            raise Crash


def crashing(method: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return what stands for a method, a coroutine's too, in a process that crashes there.

    :param after: whether the method is called before the crash, the first time: a dead process takes no later step.
    """
    dead = [False]

    def crash(*given: Any, **named: Any) -> Any:
        if after and not dead[0]:
            method(*given, **named)
        dead[0] = True
        raise Crash

    async def crash_later(*given: Any, **named: Any) -> Any:
        if after and not dead[0]:
            await method(*given, **named)
        dead[0] = True
        raise Crash

    return crash_later if inspect.iscoroutinefunction(method) else crash


def run(main: Coroutine[object, object, T]) -> T:
    """Run a coroutine as `asyncio.run` does, and end all its tasks, though one after the other may crash then."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            with contextlib.suppress(Crash):
                loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
