"""Declares the command `sandbox`."""

from __future__ import annotations

from airflow_provider_userdata import registry
from airflow_provider_userdata.cli.declared import Argument, Command
from airflow_provider_userdata.sandbox_options import OPTIONS

SANDBOX = Command(
    "sandbox",
    f"Run {registry.titles()} on this machine, to try uploads against, until Ctrl+C",
    "sandbox.sandbox",
    tuple(Argument((flag,), options) for flag, options in OPTIONS),
)
