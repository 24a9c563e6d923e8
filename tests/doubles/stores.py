"""A store for checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

LARGEST = 16 * 1024
"""Bytes of a checkpoint at most, whatever the source."""


class MemoryStore:
    """Keeps a checkpoint between attempts as Airflow does: as JSON, in any order, and never more than 16 KB of it.

    :param max_tries: how many attempts the task has beyond its first.
    """

    def __init__(self, max_tries: int = 0) -> None:
        self.max_tries = max_tries
        self.texts: list[bytes] = []
        self.before_save: Callable[[dict[str, Any]], object] = lambda _: None
        self.after_save: Callable[[], object] = lambda: None

    def load(self) -> Any:
        """Return what was saved last."""
        return msgspec.json.decode(self.texts[-1]) if self.texts else None

    def save(self, value: dict[str, Any]) -> None:
        """Keep a value, unless `before_save` raises."""
        self.before_save(value)
        text = json.dumps(value, sort_keys=True).encode()
        assert len(text) < LARGEST
        self.texts.append(text)
        self.after_save()

    @property
    def is_done(self) -> bool:
        """Whether the last value is a marker of a run that has ended."""
        return "done" in (self.load() or {})
