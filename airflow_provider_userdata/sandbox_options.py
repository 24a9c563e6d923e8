"""The options of the sandbox's commands. They stand apart from it: every start of Airflow's command line reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

OPTIONS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("--host", {"default": "127.0.0.1", "help": "loopback address to listen on (default: %(default)s)"}),
    ("--port", {"type": int, "default": 0, "help": "port to listen on (default: a free one)"}),
    (
        "--ready-file",
        {"type": Path, "metavar": "PATH", "help": 'write {"url", "pid"} there as JSON once it listens'},
    ),
    (
        "--fault",
        {
            "action": "append",
            "metavar": "VENDOR=TEXT",
            "help": "what a vendor does to its next request, such as 'ptengine=429 retry-after=2 x3'; can be repeated",
        },
    ),
    ("--latency", {"default": "0", "metavar": "SECONDS", "help": "how long every vendor takes to answer"}),
)
"""Each option's name, and the rest as `argparse` takes it."""
