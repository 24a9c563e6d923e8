"""Runs the server, in a process of its own, and asks it what arrived."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from benchmarks.environments import built_server


class FastServer:
    """The server while a `with` block runs."""

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen([str(built_server())], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    def reset(self, latency: float) -> None:
        """Forget what arrived, and from now on answer after so many milliseconds."""
        self._ask(f"reset/{latency}").read()

    def counts(self) -> dict[str, Any]:
        """Say what came since the reset: requests, bytes, the first one's time on the monotonic clock, own CPU."""
        counts: dict[str, Any] = json.loads(self._ask("counts").read())
        return counts

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Give the path and the body of each request that came."""
        response = self._ask("bodies")
        while line := response.readline():
            path, _, size = line.decode().rpartition(" ")
            yield path, response.read(int(size))

    def _ask(self, what: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/control/{what}", headers={"Connection": "close"})
        return connection.getresponse()
