"""What the server itself can take: it must be far above what is measured against it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

from benchmarks.contestants.worker import SAMPLES_PATH, USER_DATA_PATH
from benchmarks.data import mood, sample
from benchmarks.measuring import Stage
from benchmarks.tables import number, table


def ceiling(stage: Stage) -> str:
    """Answers at once. The client is bare sockets that send many requests, and then read as many answers."""
    samples = json.dumps({"data_type": "steps", "data": [sample(n) for n in range(1000)]}).encode()
    one = json.dumps(mood(0)).encode()
    rows = [
        ["GeroSense, 1000 samples a request", *_measured(stage, SAMPLES_PATH, samples, 1000, 3_000, (16, 4))],
        ["Thymia, one record a request", *_measured(stage, USER_DATA_PATH, one, 1, 300_000, (64, 64))],
    ]
    return table(("", "requests/s", "records/s", "MB/s", "server's CPU µs a request"), rows)


def _measured(
    stage: Stage, path: str, body: bytes, records: int, requests: int, shape: tuple[int, int]
) -> Iterator[str]:
    """Send about so many requests.

    :param records: in a body.
    :param shape: how many connections, and how many requests each sends before it reads.
    """
    connections, at_once = shape
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    turns = max(1, stage.size(requests) // (connections * at_once))
    stage.server.reset(0)
    sockets = [socket.create_connection(("127.0.0.1", stage.server.port)) for _ in range(connections)]
    try:
        sockets[0].sendall(head + body)
        answer = len(sockets[0].recv(65536))
        before = stage.server.counts()
        began = time.monotonic()
        for _ in range(turns):
            for connection in sockets:
                connection.sendall((head + body) * at_once)
            for connection in sockets:
                _read(connection, answer * at_once)
        seconds = time.monotonic() - began
    finally:
        for connection in sockets:
            connection.close()
    counts = stage.server.counts()
    done = counts["requests"] - before["requests"]
    yield from (number(amount / seconds) for amount in (done, done * records, done * len(body) / 1e6))
    yield number((counts["cpu"] - before["cpu"]) / done * 1e6)


def _read(connection: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(connection.recv(65536))
