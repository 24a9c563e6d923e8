"""Shows that memory doesn't grow with the source: ``python benchmarks/memory.py``.

Each size is delivered in a process of its own, from a JSONL file, to a server that accepts everything.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.sources import open_source
from airflow_provider_userdata.vendors.gerosense import GeroSense

SIZES = (100_000, 1_000_000, 5_000_000)
CASES = {"": (0.0, False), "a tenth rejected": (0.0, True), "answers take 50 ms": (0.05, False)}
"""How long an answer takes, and whether each tenth sample is invalid."""
BLOCK = 10_000


def write_samples(path: Path, count: int, *, rejects: bool) -> None:
    """Write a JSONL file of samples, each tenth of them invalid where that is asked for."""
    with path.open("w") as file:
        for start in range(0, count, BLOCK):
            file.writelines(
                _sample(number, valid=not rejects or number % 10 > 0) for number in range(start, start + BLOCK)
            )


def _sample(number: int, *, valid: bool) -> str:
    day, second = divmod(number // 10, 86_400)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    start = f"2023-11-{1 + day % 28:02}T{clock}.{number % 10}00+04:00"
    value = 1 + number % 200 if valid else -1
    return f'{{"device_name": "watch-{number % 1000}", "start_date": "{start}", "unit": "count", "value": {value}}}\n'


class FileStore:
    """Keeps the checkpoint in a file, as a task does."""

    max_tries = 1

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> dict[str, Any] | None:
        """Give no checkpoint: each delivery is a first one."""
        return None

    def save(self, value: dict[str, Any]) -> None:
        """Write the checkpoint."""
        self._path.write_text(json.dumps(value, default=str))


def deliver(url: str, source: Path, output: Any) -> dict[str, Any]:
    """Deliver a file, and say what it took."""
    ended = Delivery(
        Plan(
            vendor=GeroSense("steps"),
            endpoint=Endpoint(url, {"Authorization": "Bearer none"}),
            source=open_source(str(source)),
            output=output,
            attempt="1",
            store=FileStore(output.with_suffix(".checkpoint")),
        )
    ).run()
    if ended.error is not None:
        raise ended.error
    report = ended.report
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"delivered": report.delivered, "rejected": report.rejected, "seconds": report.seconds, "megabytes": peak}


async def serve(latency: float) -> None:
    """Accept everything, and print the port first."""

    async def accept(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(latency)
        return web.Response()

    async def status(_: web.Request) -> web.Response:
        return web.json_response({"status": "Ok"})

    application = web.Application(client_max_size=2**26)
    application.add_routes([web.post("/api/v1.1/samples", accept), web.get("/api/status", status)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def server(latency: float) -> Iterator[str]:
    """Run the server in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, "--serve", str(latency)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip() if process.stdout else ''}"
    finally:
        process.terminate()
        process.wait()


def compare(sizes: list[int]) -> None:
    """Print the table."""
    print("| samples | | peak memory, MB | samples/s |\n|---|---|---|---|")
    for size, (name, (latency, rejects)) in itertools.product(sizes, CASES.items()):
        with tempfile.TemporaryDirectory() as folder, server(latency) as url:
            source = Path(folder, "samples.jsonl")
            write_samples(source, size, rejects=rejects)
            command = [sys.executable, __file__, "--deliver", url, str(source), str(Path(folder, "run"))]
            took = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        speed = (took["delivered"] + took["rejected"]) / took["seconds"]
        print(f"| {size:,} | {name} | {took['megabytes']:.0f} | {round(speed, -3):,.0f} |", flush=True)


def main() -> None:
    """Be the comparison, the server, or one delivery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES, help="how many samples (default: %(default)s)")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--deliver", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        asyncio.run(serve(asked.serve))
    elif asked.deliver:
        logging.disable(logging.WARNING)
        url, source, output = asked.deliver
        print(json.dumps(deliver(url, Path(source), Path(output))))
    else:
        compare(list(asked.sizes))


if __name__ == "__main__":
    main()
