"""Runs the sandbox by hand: ``python -m airflow_provider_userdata.sandbox``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_userdata import registry
from airflow_provider_userdata.sandbox.faults import seconds
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.sandbox.server import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox_options import OPTIONS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until SIGINT or SIGTERM.

    :param arguments: the command line, without the program's name.
    """
    parser = _parser()
    try:
        return run(parser.parse_args(arguments))
    except ValueError as error:
        parser.error(str(error))


def run(asked: argparse.Namespace) -> int:
    """Run the sandbox until SIGINT or SIGTERM, and return the exit code.

    :param asked: the parsed command line.
    :raises ValueError: if an option is wrong.
    """
    sandbox = Sandbox(host=asked.host, port=asked.port)
    _prepare(sandbox, asked.fault or (), asked.latency)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with sandbox:
            _announce(sandbox, asked.ready_file)
            ended.wait()
    except (OSError, OverflowError) as error:
        print(f"The sandbox cannot start: {error}", file=sys.stderr)
        return 1
    if asked.ready_file:
        asked.ready_file.unlink(missing_ok=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_userdata.sandbox",
        description=f"{registry.titles()} on this machine, to try uploads against.",
    )
    for flag, options in OPTIONS:
        parser.add_argument(flag, **options)
    return parser


def _prepare(sandbox: Sandbox, faults: Sequence[str], latency: str) -> None:
    for vendor in sandbox.vendors.values():
        vendor.latency = seconds(latency)
    for fault in faults:
        name, _, text = fault.partition("=")
        if name not in sandbox.vendors:
            raise ValueError(f"--fault names one of {', '.join(sandbox.vendors)} first: VENDOR=TEXT")
        sandbox.vendors[name].script(text)


def _announce(sandbox: Sandbox, ready_file: Path | None) -> None:
    print(f"The sandbox listens on  {sandbox.url}")
    print(f"See what arrives at     {sandbox.page}\n")
    print("Keys:")
    for name, key in SANDBOX_KEYS.items():
        print(f"  {name:10} {key}")
    connections = {name: f"  export {name}={shlex.quote(value)}" for name, value in sandbox.connections().items()}
    print("\nAirflow's default connections:")
    print("\n".join([line for name, line in connections.items() if name.endswith("_DEFAULT")]))
    print(f"\nGeroSense's direct API, for many users, has the login {LOGIN} and GeroSense's key as its password:")
    print("\n".join([line for name, line in connections.items() if not name.endswith("_DEFAULT")]))
    print("\nCtrl+C ends it.", flush=True)
    if ready_file:
        whole = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")  # nobody must read a part of it
        whole.touch(mode=0o600)
        whole.write_text(json.dumps({"url": sandbox.url, "pid": os.getpid()}))
        whole.replace(ready_file)


if __name__ == "__main__":
    sys.exit(main())
