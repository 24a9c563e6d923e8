"""A delivery whose supervisor is gone, or can't be reached, stops by itself: its own retry may have begun."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery import runner, supervisor
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.supervisor import Supervisor
from airflow_provider_userdata.errors import OrphanedError

SCRIPT = Path(__file__).with_name("killed_delivery.py")
SUPERVISE = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"
COUNT = 1_000


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often whether anybody supervises."""
    monkeypatch.setattr(runner, "WATCH_SECONDS", 0.01)


def left_behind(killer: Any) -> None:
    """Start an attempt, kill the process that started it, and wait for the attempt to end."""
    killer.attempts += 1
    given = {**killer.settings, "attempt": f"{killer.attempts}-x", "supervised": True}
    line = [sys.executable, "-c", SUPERVISE, str(SCRIPT), json.dumps(given)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        parent.stdout.readline()
        while killer.sandbox.vendors[killer.vendor].counts.records < COUNT // 50:
            assert parent.poll() is None, parent.stderr.read()
            time.sleep(0.01)  # lets the sandbox run, which is in this same process
        parent.send_signal(signal.SIGKILL)
        assert "OrphanedError" in parent.stderr.read()  # to the end of the one that was left behind


def test_an_orphan_stops_and_its_retry_goes_on(killer: Callable[..., Any], whole: Callable[..., None]) -> None:
    """Where the supervisor is killed, nothing more is sent, no end is recorded, and what it gave up is in doubt."""
    one = killer("thymia", COUNT, latency=0.1)
    left_behind(one)

    counts = one.sandbox.thymia.counts
    assert counts.records < COUNT
    checkpoint = json.loads((Path(one.settings["folder"]) / "checkpoint.json").read_text())
    assert "done" not in checkpoint
    one.sandbox.thymia.latency = 0.0
    assert one.attempt()
    whole(one.reports[-1], COUNT)
    assert counts.records - counts.distinct <= one.reports[-1].resent <= one.settings["max_in_flight"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("store_hangs", [True, False])
def test_a_delivery_whose_checkpoint_cannot_be_saved_for_long_stops(
    store_hangs: bool, attempt: Callable[..., Result], rows: Callable[..., Any], store: Any, sandbox: Any
) -> None:
    """A store that fails, or doesn't answer, for as long as Airflow needs to take a task for dead ends it."""
    go = threading.Event()
    fails = threading.Event()

    def save(_: Any) -> None:
        if fails.is_set():
            if store_hangs:
                go.wait(30)
            raise ConnectionError

    def endless() -> Iterator[Any]:
        yield from rows("thymia", 50)
        fails.set()
        number = 50
        while not go.is_set():
            yield from rows("thymia", 1, first=number)
            number += 1

    store.before_save = save
    with pytest.raises(OrphanedError, match="no checkpoint could be saved"):
        attempt("thymia", endless(), supervisor=Supervisor(0.2), clock=Clock())
    go.set()

    assert not store.is_done


def test_a_supervised_delivery_comes_to_its_end(
    attempt: Callable[..., Result], rows: Callable[..., Any], store: Any
) -> None:
    """As long as the parent is there, nothing changes."""
    ended = attempt("thymia", rows("thymia", 20), supervisor=Supervisor(math.inf))

    assert (ended.error, ended.report.delivered, store.is_done) == (None, 20, True)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system doesn't tell")
def test_the_system_tells_of_processes() -> None:
    """It tells a process's parent and the name of its program; of a process that is gone, nothing."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        assert supervisor._parent(child.pid) == os.getpid()
        assert supervisor._name(os.getpid()) == Path("/proc/self/comm").read_text().strip()
        child.communicate(b"\n")

    assert (supervisor._parent(child.pid), supervisor._name(child.pid)) == (None, None)


def test_behind_sudo_it_is_the_parent_of_sudo_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run_as_user` puts `sudo` between the supervisor and the task, and `sudo` lives on without a supervisor."""
    parents = {10: 9, 9: 8, 8: 1}
    monkeypatch.setattr(os, "getppid", lambda: 10)
    monkeypatch.setattr(supervisor, "_name", lambda pid: "sudo" if pid > 8 else "airflow")
    monkeypatch.setattr(supervisor, "_parent", parents.get)
    watched = Supervisor(math.inf)
    assert watched.missed(0.0) is None

    parents[9] = 1

    assert "pid 8" in str(watched.missed(0.0))
