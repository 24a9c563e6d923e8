"""Makes the records that all contestants send: the same ones on each machine, and no two alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.places import DATA, say

DEVICES = [("iPhone", "17.0.3"), ("Apple Watch", "10.1"), ("Pixel Watch", "2.4.1"), ("Galaxy S23", "14")]
FIRST = datetime(2023, 11, 1, 8, 4, 51, tzinfo=timezone(timedelta(hours=4)))
PLANS = ("free", "starter", "pro", "enterprise")
COUNTRIES = ("JP", "DE", "BR", "US", "FR", "IN", "KR")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records for one vendor.

    :param fault_every: of how many records one has a fault; 0 is none.
    :param part: which half of the records it holds, first (1) or second (2); 0 is all.
    """

    vendor: str
    records: int
    fault_every: int = 0
    part: int = 0

    @property
    def path(self) -> Path:
        """Where it lies."""
        faults = f"-faults-{self.fault_every}" if self.fault_every else ""
        part = f"-part-{self.part}" if self.part else ""
        return DATA / f"{self.vendor}-{self.records}{faults}{part}.{'csv' if self.vendor == 'ptengine' else 'jsonl'}"

    @property
    def numbers(self) -> range:
        """The numbers of its records."""
        half = self.records // 2
        return (range(self.records), range(half), range(half, self.records))[self.part]

    def is_faulty(self, number: int) -> bool:
        """Say whether a record has a fault."""
        return self.fault_every > 0 and number % self.fault_every == 0

    def made(self) -> Path:
        """Write the file, unless an earlier run did."""
        if not self.path.exists():
            say(f"Writing {self.path.name}…")
            DATA.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(".part")
            with part.open("w", encoding="utf-8", newline="") as file:
                file.writelines(_LINES[self.vendor](self))
            part.rename(self.path)
        return self.path


def sample(number: int) -> dict[str, Any]:
    """Make a sample like the one in GeroSense's page; no two start at the same instant."""
    name, version = DEVICES[number % len(DEVICES)]
    start = FIRST + timedelta(seconds=7 * number)
    end = start + timedelta(seconds=1 + number % 6)
    return {
        "device_name": name,
        "device_version": version,
        "start_date": start.isoformat(timespec="milliseconds"),
        "end_date": end.isoformat(timespec="milliseconds"),
        "value": 1 + number * 31 % 180,
        "unit": "count",
    }


def user(number: int) -> dict[str, str]:
    """Make a user of twelve fields, as a warehouse's export has them."""
    return {
        "user_id": f"customer-{number:08}",
        "plan": PLANS[number % 4],
        "country": COUNTRIES[number % 7],
        "language": ("ja", "de", "pt", "en")[number % 4],
        "orders": str(number % 97),
        "revenue": f"{number % 10_000 * 1.37:.2f}",
        "last_seen": (FIRST + timedelta(minutes=number)).date().isoformat(),
        "newsletter": "yes" if number % 3 else "no",
        "favourite_genre": ("drama", "comedy", "science fiction")[number % 3],
        "campaign": f"spring-{number % 40}",
        "score": str(number * 7919 % 1000),
        "segment": "" if number % 11 == 0 else f"segment {number % 11}",
    }


def mood(number: int) -> dict[str, Any]:
    """Make one user's data."""
    return {
        "user": {"userLabel": f"participant-{number:07}"},
        "data": {
            "mood": 1 + number % 5,
            "energy": 1 + number // 5 % 5,
            "sleep_hours": 4 + number % 20 / 4,
            "activity": ("walk", "run", "rest")[number % 3],
            "note": f"entry {number} of the study's second wave",
        },
    }


def example(vendor: str) -> dict[str, Any]:
    """Make a vendor's first record: its keys are those of all."""
    return {"gerosense": sample, "ptengine": user, "thymia": mood}[vendor](0)


FAULTS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (
    lambda sample: {**sample, "value": 30001},
    lambda sample: {**sample, "value": 0},
    lambda sample: {**sample, "value": "12"},
    lambda sample: {**sample, "end_date": "2020-01-01T00:00:00.000+04:00"},
    lambda sample: {**sample, "start_date": "2023-13-01T08:04:51.000+04:00"},
    lambda sample: {**sample, "start_date": sample["start_date"][:-6]},
    lambda sample: {key: value for key, value in sample.items() if key != "unit"},
    lambda sample: {**sample, "note": "one key too many"},
    lambda sample: {**sample, "device_name": None},
)
"""What is wrong with a faulty sample; each kind comes as often as any other."""


def _samples(source: Source) -> Iterator[str]:
    for number in source.numbers:
        made = sample(number)
        if source.is_faulty(number):
            made = FAULTS[number // source.fault_every % len(FAULTS)](made)
        yield json.dumps(made) + "\n"


def _users(source: Source) -> Iterator[str]:
    yield ",".join(user(0)) + "\n"
    for number in source.numbers:
        yield ",".join(user(number).values()) + "\n"


def _moods(source: Source) -> Iterator[str]:
    return (json.dumps(mood(number)) + "\n" for number in source.numbers)


_LINES: dict[str, Callable[[Source], Iterator[str]]] = {"gerosense": _samples, "ptengine": _users, "thymia": _moods}
