"""Runs a delivery's loop in a helper thread, while the caller's thread only waits.

Airflow's signals land on a task's main thread: a time-out raised there would be lost inside a running loop. Here it
interrupts nothing but the wait.
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

from airflow_provider_userdata.delivery.engine import Engine
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.supervisor import WATCH_SECONDS
from airflow_provider_userdata.errors import OrphanedError, SourceChangedError, StoppedError, UserdataError

GRACE = 3.0
"""Seconds that what is in flight gets after a stop: a killed task has five in all."""
LONGEST_GOODBYE = 10.0
"""Seconds that an interrupted wait stays for the fates to be written."""
LONGEST_TURN = 0.001
"""Seconds for which a thread may keep the interpreter from the ledger's: a statement is asked for in a moment, and then
takes its time without the interpreter."""
YOUNG_OBJECTS = 50_000
"""So many more objects that may hold others have to be there before Python looks for garbage."""

_log = logging.getLogger(__name__)


class Delivery:
    """A delivery that can be waited for, and stopped from another thread or a signal handler."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ended: Future[Result] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engine: Engine | None = None
        self._stop_error: UserdataError | None = None
        self._grace = GRACE
        self._thread = threading.Thread(target=self._work, name="userdata-delivery", daemon=True)

    def run(self) -> Result:
        """Deliver, and wait for it.

        Where the wait is interrupted, by a time-out or a keyboard, the delivery is stopped, its fates are written, and
        what interrupted goes on its way.

        :raises OrphanedError: if nobody supervises this process any more; what is in flight is given up at once.
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
                    self.stop(StoppedError("the delivery was interrupted, by a time-out or a signal"))
                self._wait_a_little()
            raise

    @property
    def ended(self) -> Result | None:
        """How the delivery ended, where it has, also after an interrupted wait."""
        return self._ended.result() if self._ended.done() and self._ended.exception() is None else None

    def stop(self, error: UserdataError) -> None:
        """Tell the delivery to end soon; returns at once."""
        self._stop_error = error
        if self._loop is not None and self._engine is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the delivery with it
                self._loop.call_soon_threadsafe(self._engine.stop, error, self._grace)

    def _watch(self) -> None:
        """Wait for the delivery's end for as long as somebody supervises this process."""
        supervisor = self._plan.supervisor
        while supervisor is not None and not wait([self._ended], WATCH_SECONDS).done:
            missed = supervisor.missed(self._engine.unsaved if self._engine is not None else 0.0)
            if missed is not None:
                raise missed

    def _wait_a_little(self) -> None:
        self._thread.join(LONGEST_GOODBYE)

    def _work(self) -> None:
        try:
            with _few_collections(), _short_turns() if self._plan.ledger else contextlib.nullcontext():
                asyncio.run(self._deliver())
        except BaseException as error:  # noqa: BLE001  # it belongs to the thread that waits
            if not self._ended.done():
                self._ended.set_exception(error)

    async def _deliver(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(self._plan)
        if self._stop_error is not None:
            self._engine.stop(self._stop_error, self._grace)
        ended = await self._engine.run()
        if isinstance(ended.error, SourceChangedError) and self._plan.restart_if_changed and not self._stop_error:
            _log.warning("The source changed since an earlier attempt: all its records are sent again, from the first")
            again = replace(self._plan, resume=False, attempt=f"{self._plan.attempt}-again")
            self._engine = Engine(again)
            ended = await self._engine.run()
        # Said before the loop is taken down: a look-up of a host's name that hangs would keep it from ending.
        self._ended.set_result(ended)


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Look for garbage more rarely: rows hold no cycles, but there are always thousands of them, to be gone through."""
    usual = gc.get_threshold()
    if 0 < usual[0] < YOUNG_OBJECTS:  # 0 is never
        gc.set_threshold(YOUNG_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    """Let threads hand the interpreter over more often, unless they do already."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, LONGEST_TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
