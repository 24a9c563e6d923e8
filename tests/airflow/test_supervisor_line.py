"""Threads that ask Airflow at the same time each get their own answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from airflow_provider_userdata.operators.supervisor_line import let_one_talk_at_a_time


class Line:
    """As Airflow 3.1 has it: an answer belongs to whoever reads it."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, question: bytes) -> bytes:
        """Ask, and return the next answer."""
        self._end.sendall(question)
        time.sleep(0.001)
        return self._end.recv(4)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a line."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours, theirs


def test_each_thread_gets_its_own_answer(ends: tuple[socket.socket, socket.socket]) -> None:
    """Without the lock, they get each other's."""

    def echo() -> None:
        while question := ends[1].recv(4):
            ends[1].sendall(question)

    threading.Thread(target=echo, daemon=True).start()
    let_one_talk_at_a_time(Line)
    once = Line.send
    let_one_talk_at_a_time(Line)
    assert Line.send is once
    line = Line(ends[0])
    questions = [f"{number:4}".encode() for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(line.send, questions)) == questions


def test_each_thread_gets_its_own_answer_from_this_airflow(ends: tuple[socket.socket, socket.socket]) -> None:
    """By its own lock, or by ours."""
    comms = pytest.importorskip("airflow.sdk.execution_time.comms")
    if not hasattr(getattr(comms, "CommsDecoder", None), "send"):
        pytest.skip("this Airflow has no such line")
    let_one_talk_at_a_time()

    def read(count: int) -> bytes:
        return ends[1].recv(count, socket.MSG_WAITALL)

    def answer() -> None:
        while head := read(4):
            number, body = msgspec.msgpack.decode(read(int.from_bytes(head, "big")))[:2]
            value = {"type": "VariableResult", "key": body["key"], "value": "x"}
            text = msgspec.msgpack.encode([number, value, None])
            ends[1].sendall(len(text).to_bytes(4, "big") + text)

    threading.Thread(target=answer, daemon=True).start()
    line: Any = comms.CommsDecoder(socket=ends[0])
    keys = list(map(str, range(100)))
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda key: line.send(comms.GetVariable(key=key)).key, keys)
        assert list(found) == keys
