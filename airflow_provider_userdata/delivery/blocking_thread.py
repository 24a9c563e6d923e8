"""A thread for blocking calls: one after the other, and nothing waits for a call that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class BlockingThread:
    """Runs blocking calls, one at a time, in one daemon thread.

    A `ThreadPoolExecutor` doesn't work here: the interpreter joins its threads at exit, so a read that hangs would keep
    a killed task alive.

    :param name: the thread's name, shown when a hanging process is inspected.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function in the thread; the future belongs to the running loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def resolve(settle: Callable[[], None]) -> None:
            if not future.done():
                settle()

        def run() -> None:
            try:
                settle = functools.partial(future.set_result, function())
            except StopIteration:
                settle = functools.partial(future.set_exception, RuntimeError("a blocking call raised StopIteration"))
            except BaseException as error:  # noqa: BLE001  # any exception is raised where the future is awaited
                settle = functools.partial(future.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing awaits the result
                loop.call_soon_threadsafe(resolve, settle)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(run)
        return future

    def close(self) -> None:
        """Let the thread end after the calls that are queued; doesn't wait for it."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
