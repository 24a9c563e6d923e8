"""Answers with long headers, or many of them: what browsers accept is accepted, and longer ones are explained."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from airflow_provider_userdata.delivery.sending.transport import Endpoint, NoAnswer, Transport
from airflow_provider_userdata.vendors.answers import Answer
from airflow_provider_userdata.vendors.contract import Request

KB = 1024


def _answered(headers: Sequence[tuple[str, str]], before: bytes = b"") -> tuple[Answer | NoAnswer, int]:
    """Send two requests to a server with these headers; return the last answer and the count of connections."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(65536):
            writer.write(before + f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\n{{}}".encode())
        writer.close()

    async def run() -> Answer | NoAnswer:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with Transport(Endpoint(url, {}, timeout=20)) as transport:
            await transport.post(Request("/", (b"{}",)))
            answer = await transport.post(Request("/", (b"{}",)))
        listening.close()
        return answer

    return asyncio.run(run()), connections


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Security-Policy", "a" * 12 * KB)],
        [("Content-Security-Policy", "a" * 63 * KB)],
        [("a" * 12 * KB, "b")],
        [(f"x-{number}", "a") for number in range(300)],
        [("a", "") for _ in range(50_000)],
        [(f"x-{number}", "a" * 50 * KB) for number in range(5)],
    ],
    ids=["12 kB", "63 kB", "a name of 12 kB", "300", "50,000", "250 kB in all"],
)
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % (b"a" * 12 * KB)])
def test_headers_that_browsers_take_are_taken(headers: list[tuple[str, str]], before: bytes) -> None:
    """An answer is read, whatever a security policy or a proxy adds to it; its connection is used again."""
    answer, connections = _answered(headers, before)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.complete, connections) == (200, b"{}", True, 1)


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Security-Policy", "a" * 65 * KB)],
        [("a" * 65 * KB, "b")],
        [(f"x-{number}", "a" * 50 * KB) for number in range(6)],
        [("a", "") for _ in range(60_000)],
    ],
    ids=["65 kB", "a name of 65 kB", "300 kB in all", "60,000"],
)
def test_headers_beyond_are_said(headers: list[tuple[str, str]]) -> None:
    """The request was written and answered, so it is in doubt (A3), and so is the next: its connection didn't break."""
    answer, _ = _answered(headers)

    assert isinstance(answer, NoAnswer)
    assert "headers are longer than 64 kB in one line or 256 kB in all" in answer.reason
    assert (answer.written, answer.stops) == (True, False)
