"""The ceiling: bodies that were encoded beforehand, sent as fast as one event loop sends. Nothing is checked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import aiohttp

from benchmarks.contestants.records import read, requests_of
from benchmarks.contestants.worker import TOKEN, Clock, Job, serve


def run(job: Job, clock: Clock) -> None:
    """Encode the job's requests, then measure sending them."""
    bodies = [(path, json.dumps(body, separators=(",", ":")).encode()) for path, body in requests_of(job, read(job))]
    asyncio.run(_send_all(job, bodies, clock))


async def _send_all(job: Job, bodies: list[tuple[str, bytes]], clock: Clock) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "x-api-key": TOKEN, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(job.url, headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        with clock:
            left = iter(bodies)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(job.in_flight):
                    tasks.create_task(_send(session, left))


async def _send(session: aiohttp.ClientSession, left: Iterator[tuple[str, bytes]]) -> None:
    for path, body in left:
        async with session.post(path, data=body) as response:
            response.raise_for_status()
            await response.read()


if __name__ == "__main__":
    serve(run)
