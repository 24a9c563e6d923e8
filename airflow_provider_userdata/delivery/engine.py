"""The delivery itself: read, check, batch, send, record. Knows no vendor and no Airflow, and says how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from airflow_provider_userdata.delivery.batching import Batch, batcher
from airflow_provider_userdata.delivery.checking import Checker
from airflow_provider_userdata.delivery.delivering import Deliverer
from airflow_provider_userdata.delivery.fates import TOO_FEW, Fates, Why
from airflow_provider_userdata.delivery.journal import open_journal
from airflow_provider_userdata.delivery.pace import Pace
from airflow_provider_userdata.delivery.plan import Ended, Plan
from airflow_provider_userdata.delivery.reading import ChunkReader
from airflow_provider_userdata.delivery.report import Fate, Report, Tally
from airflow_provider_userdata.delivery.sending import Sender
from airflow_provider_userdata.delivery.splitting import Refusals
from airflow_provider_userdata.delivery.threads import BlockingThread
from airflow_provider_userdata.delivery.transport import Transport
from airflow_provider_userdata.errors import UserdataError, VendorDownError

FLUSH_SECONDS = 1.0
"""How often lines are written where a file can't be appended to."""
PROGRESS_SECONDS = 10.0


class Engine:
    """Runs one delivery, on the loop that it is made in.

    However it ends, every record that was read has exactly one fate, written before it is counted.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._halted = asyncio.Event()
        self._halt_rule = "A5"
        self._error: Exception | None = None
        self._tally = Tally(plan.clock.seconds)
        self._receipts = open_journal(plan.output, f"receipts-{plan.attempt}")
        rejects = open_journal(plan.output, f"rejects-{plan.attempt}")
        self._fates = Fates(self._receipts, rejects, self._tally, plan.clock)
        self._checker = Checker(plan.vendor, plan.fields, self._fates, self._tally)
        self._batcher = batcher(plan.vendor.limits)
        self._transport = Transport(plan.endpoint)
        pace = Pace(plan.clock, self._halted, plan.requests_per_second)
        self._sender = Sender(plan.vendor, self._transport, self._tally, pace, plan.patience, plan.clock, self._halted)
        refusals = Refusals(plan.vendor.limits)
        self._deliverer = Deliverer(plan.vendor, self._sender, refusals, self._fates, self._halt)
        self._files = BlockingThread("userdata-files")
        self._in_flight: dict[asyncio.Task[None], Batch] = {}
        self._users_in_flight: set[str | None] = set()

    async def run(self) -> Ended:
        """Deliver, and say how it ended."""
        try:
            carried_in = await self._open()
            self._fates.carried_in = len(carried_in)
            await self._deliver_all(carried_in)
        except Exception as error:  # noqa: BLE001  # whatever it is, what was accepted stays on record
            self._halt(error)
        await self._close()
        return Ended(self._fates.report(), self._error, self._checker.first_fault())

    def stop(self, error: UserdataError, grace: float) -> None:
        """End soon: nothing new is sent, what is in flight gets some seconds, then it is given up.

        :param error: how the delivery says that it ended.
        :param grace: seconds.
        """
        self._halt(error)
        asyncio.get_running_loop().call_later(grace, self._give_up)

    def _halt(self, error: Exception, rule: str = "A5") -> None:
        """Let nothing more be read or sent; the first reason is the one that counts."""
        if self._error is None:
            self._error, self._halt_rule = error, rule
        self._halted.set()

    def _give_up(self) -> None:
        for task in self._in_flight:
            task.cancel()

    async def _open(self) -> list[bytes]:
        """Make the files, so that a bad place shows before the first request, and take what earlier runs held."""
        await self._files.call(self._receipts.create)
        held = self._plan.held
        return [] if held is None or self._plan.validate_only else await self._files.call(held.claim)

    async def _close(self) -> None:
        for close in (self._keep_held, self._fates.close):
            try:
                await self._files.call(close)
            except UserdataError as error:
                self._halt(error)
        self._files.close()
        self._tally.settle_rest()

    def _keep_held(self) -> None:
        held = self._plan.held
        if held is None or self._plan.validate_only:
            return
        try:
            self._fates.flush()
        except UserdataError:
            held.settle(read=False, ended=False)
            raise
        for carried_in in (True, False):
            held.keep(self._fates.held_over(carried_in=carried_in), carried_in=carried_in)
        held.settle(read=self._tally.read >= self._fates.carried_in, ended=self._error is None)

    async def _deliver_all(self, carried_in: list[bytes]) -> None:
        reader = ChunkReader(self._plan.source, carried_in, self._halted)
        helpers = [asyncio.ensure_future(self._flush_now_and_then())]
        if self._plan.on_progress is not None:
            helpers.append(asyncio.ensure_future(self._tell_now_and_then(self._plan.on_progress)))
        try:
            async with self._transport:
                try:
                    await self._read_and_send(reader)
                finally:  # also where a fate can't be written: what is in flight may still be delivered
                    while self._in_flight:
                        await asyncio.wait(self._in_flight)
        finally:
            for helper in helpers:
                helper.cancel()
            await reader.close()

    async def _read_and_send(self, reader: ChunkReader) -> None:
        try:
            await self._await_vendor()
            while (chunk := await reader.next()) is not None:
                await self._dispatch(self._batcher.add(self._checker.check(chunk)))
            if not self._halted.is_set():
                await self._dispatch(self._batcher.flush())
        except Exception as error:  # noqa: BLE001  # a source may raise anything; what is in flight ends first
            self._halt(error)
        self._hold(self._batcher.pending)

    async def _await_vendor(self) -> None:
        if self._plan.validate_only:
            return
        gave_up = await self._sender.until_ready()
        if gave_up is not None and not gave_up.halted:
            self._halt(VendorDownError(f"{self._plan.vendor.name}: {gave_up.reason} ({gave_up.rule})"), gave_up.rule)

    async def _dispatch(self, batches: list[Batch]) -> None:
        """Send batches as places in flight come free, in their order; what a halt leaves unsent is held."""
        for batch in batches:
            if self._plan.validate_only:
                self._fates.skipped(batch)
                continue
            await self._place_in_flight(batch)
            if self._halted.is_set():
                self._hold(batch)
                continue
            task = asyncio.create_task(self._deliverer.deliver(batch))
            self._in_flight[task] = batch
            if self._plan.vendor.limits.user_once:
                self._users_in_flight.update([record.user for record in batch])
            task.add_done_callback(self._landed)

    async def _place_in_flight(self, batch: Batch) -> None:
        """Wait until fewer requests than allowed are in flight, and none about a user of this batch (P8)."""
        while not self._halted.is_set() and (
            len(self._in_flight) >= self._plan.max_in_flight
            or (self._users_in_flight and any(record.user in self._users_in_flight for record in batch))
        ):
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    def _landed(self, task: asyncio.Task[None]) -> None:
        batch = self._in_flight.pop(task)
        self._users_in_flight.difference_update([record.user for record in batch])
        error = task.exception()
        if isinstance(error, Exception):
            self._halt(error)

    def _hold(self, records: Batch) -> None:
        """Hold records that can't go: the delivery has ended, or they are too few for a request (G4)."""
        if self._error is not None:
            reason = f"was not sent: {type(self._error).__name__} ended the delivery"
            self._fates.none_delivered(records, Why(Fate.HELD, self._halt_rule, reason))
        elif self._plan.validate_only:
            self._fates.skipped(records)
        else:
            reason = f"is one of {len(records)}, fewer than a request takes; goes out first in the task's next run"
            self._fates.none_delivered(records, Why(Fate.HELD, TOO_FEW, reason))

    async def _flush_now_and_then(self) -> None:
        try:
            while True:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._files.call(self._fates.flush)
        except UserdataError as error:
            self._halt(error)

    async def _tell_now_and_then(self, tell: Callable[[Report, int | None], None]) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            tell(self._fates.report(), self._plan.source.total)
