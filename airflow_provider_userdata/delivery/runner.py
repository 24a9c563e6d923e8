"""Runs a delivery's event loop in a helper thread, while the caller's thread only waits.

Airflow's signals arrive on a task's main thread: a timeout raised there could be lost inside a running event loop. Here
it interrupts only the wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from dataclasses import replace

from airflow_provider_userdata.delivery.broadcast import Broadcast
from airflow_provider_userdata.delivery.engine import Engine
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.supervisor import WATCH_SECONDS
from airflow_provider_userdata.errors import OrphanedError, SourceChangedError, StoppedError, UserdataError

GRACE = 3.0
"""Seconds that requests in flight get after a stop: a killed task has five in all."""
LONGEST_GOODBYE = 10.0
"""Seconds that an interrupted call of `run` still waits for the fates to be written."""
LONGEST_TURN = 0.001
"""Seconds after which a thread hands the interpreter over if the ledger's thread asks: that one needs it only for a
moment, to start a statement."""
YOUNG_OBJECTS = 50_000
"""The new container objects after which Python collects garbage."""

_log = logging.getLogger(__name__)


class Delivery:
    """One delivery. It can be stopped from another thread or a signal handler."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ended: Future[Result] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._stop_error: UserdataError | None = None
        self._grace = GRACE
        self._thread = threading.Thread(target=self._work, name="userdata-delivery", daemon=True)

    def run(self) -> Result:
        """Deliver, and wait until it has ended. A timeout or Ctrl-C stops it, writes the fates, and is raised.

        :raises OrphanedError: if this process is no longer supervised; requests in flight are cancelled at once.
        """
        self._thread.start()
        try:
            self._watch()
            return self._ended.result()
        except BaseException as interruption:
            if not self._ended.done():
                if isinstance(interruption, OrphanedError):
                    self._grace = 0.0
                    self.stop(interruption)
                else:
                    self.stop(StoppedError("the delivery was interrupted by a timeout or a signal"))
                self._thread.join(LONGEST_GOODBYE)
            raise

    @property
    def ended(self) -> Result | None:
        """How the delivery ended, also after an interrupted wait; None if it has not, or failed itself."""
        return self._ended.result() if self._ended.done() and self._ended.exception() is None else None

    def stop(self, error: UserdataError) -> None:
        """Tell the delivery to end soon, with this error in its result; return at once."""
        self._stop_error = error
        if self._loop is not None and self._engine is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the delivery with it
                self._loop.call_soon_threadsafe(self._engine.stop, error, self._grace)

    def _watch(self) -> None:
        """Wait for the delivery's end, as long as this process is supervised."""
        supervisor = self._plan.supervisor
        while supervisor is not None and not wait([self._ended], WATCH_SECONDS).done:
            missed = supervisor.missed(self._engine.unsaved if self._engine is not None else 0.0)
            if missed is not None:
                raise missed

    def _work(self) -> None:
        try:
            with _few_collections(), _short_turns() if self._plan.ledger else contextlib.nullcontext():
                asyncio.run(self._deliver())
        except BaseException as error:  # noqa: BLE001  # raised in the thread that waits
            if not self._ended.done():
                self._ended.set_exception(error)

    async def _deliver(self) -> None:
        self._loop = asyncio.get_running_loop()
        broadcast = Broadcast(self._plan.observers)
        self._engine = Engine(self._plan, broadcast)
        if self._stop_error is not None:
            self._engine.stop(self._stop_error, self._grace)
        ended = await self._engine.run()
        if isinstance(ended.error, SourceChangedError) and self._may_start_over() and not self._stop_error:
            _log.warning(
                "The source changed since an earlier attempt: %s",
                "all its records are sent again, from the first"
                if self._plan.ledger is None
                else "this one starts over, and sends what the ledger doesn't have",
            )
            self._engine.close()
            again = replace(self._plan, starts_over=True, attempt=f"{self._plan.attempt}-again")
            self._engine = Engine(again, broadcast)
            ended = await self._engine.run()
        await self._engine.tell_end(ended)
        self._engine.close()
        # Set before the loop is closed: closing it would wait for a DNS lookup that hangs.
        self._ended.set_result(ended)

    def _may_start_over(self) -> bool:
        """Return whether a changed source is read anew: what a completed run delivered, a ledger knows."""
        known = self._plan.ledger is not None and self._engine is not None and self._engine.goes_on_completed
        return known or self._plan.restart_if_changed


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage less often: rows have no cycles, but each collection goes through thousands of them."""
    usual = gc.get_threshold()
    if 0 < usual[0] < YOUNG_OBJECTS:  # 0 is never
        gc.set_threshold(YOUNG_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads hand the interpreter over at least every `LONGEST_TURN`."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, LONGEST_TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
