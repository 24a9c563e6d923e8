"""What replays sent of the records that an attempt left to the next one, which would send them, too."""

from __future__ import annotations

import contextlib
from collections import defaultdict

import msgspec

from airflow_provider_userdata.delivery.recording import (
    Folder,
    RejectLine,
    ReplayMarks,
    numbered_lines,
    read_marks,
    rejects_name,
)
from airflow_provider_userdata.delivery.report import Fate
from airflow_provider_userdata.records import ranges

_RUN = "sent meanwhile"
"""Stands for a run in the name of the file that is written here."""


def keep_sent_meanwhile(folder: Folder, attempt: str) -> None:
    """Write what replays sent of an attempt's rejects, before lines of them are removed: marks name lines. Blocks.

    After a crash it is written again, and says the same.

    :raises OutputError: if it can't be written.
    """
    marks = read_marks(folder)
    if not marks:
        return
    found: dict[Fate, list[int]] = defaultdict(list)
    with contextlib.suppress(FileNotFoundError):
        for file, number, text in numbered_lines(folder, rejects_name(attempt)):
            fate = marks.get(file, {}).get(number)
            if fate is not None:
                with contextlib.suppress(msgspec.DecodeError):
                    found[fate].append(msgspec.json.decode(text, type=RejectLine).position)
    if not found:
        return
    kept = ReplayMarks(folder, _RUN, attempt)
    for fate, positions in found.items():
        kept.record_positions(ranges(sorted(positions)), fate)
    kept.flush()
    kept.close()
