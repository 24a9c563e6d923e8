"""Lets one thread at a time talk to the process that supervises a task: Airflow 3.0.3 to 3.1 doesn't see to it itself.

While a source asks Airflow for something, such as a connection or what mapped tasks returned, another thread shows the
upload. Without a lock, each may get the other's answer, or wait for one forever.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

_MODULE = "airflow.sdk.execution_time.comms"


def let_one_talk_at_a_time(line: Any = None) -> None:
    """Put a lock around each request, unless this Airflow has one.

    :param line: the class of the line to the supervisor; None takes Airflow's, if this process has loaded it.
    """
    line = line or getattr(sys.modules.get(_MODULE), "CommsDecoder", None)
    send = getattr(line, "send", None)  # until 3.0.2, what asks takes a lock itself
    if send is not None and not hasattr(line, "_thread_lock") and not hasattr(send, "__wrapped__"):
        line.send = _locked(send)


def _locked(send: Callable[..., Any]) -> Callable[..., Any]:
    lock = threading.RLock()  # a signal's handler may ask while its own thread does

    @functools.wraps(send)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return send(*args, **kwargs)

    return locked
