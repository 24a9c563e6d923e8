"""What is measured; each case gives the tables of one section."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.cases import (
    ceiling,
    first_request,
    imports,
    incremental,
    memory_growth,
    observing,
    preparing,
    rejects,
    shards,
    sources,
    throughput,
)
from benchmarks.measuring import Stage

CASES: dict[str, tuple[str, Callable[[Stage], str]]] = {
    "gerosense": ("GeroSense", throughput.gerosense),
    "ptengine": ("Ptengine", throughput.ptengine),
    "thymia": ("Thymia", throughput.thymia),
    "sources": ("Every kind of source", sources.sources),
    "rejects": ("Rejects", rejects.rejects),
    "incremental": ("Only what changed", incremental.incremental),
    "observing": ("Showing an upload", observing.observing),
    "shards": ("Two processes", shards.shards),
    "first": ("The first request", first_request.first),
    "memory": ("Memory above an idle Airflow task", memory_growth.memory),
    "imports": ("Importing the operators", imports.imports),
    "preparing": ("Preparing a sample", preparing.preparing),
    "ceiling": ("The server's own ceiling", ceiling.ceiling),
}
"""By name: the section's title, and what measures it. Its docstring says under the title what was measured."""
