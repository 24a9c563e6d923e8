"""Compares what arrived with what was to be sent, record by record: a fast run that loses some is no run."""

from __future__ import annotations

import functools
import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from benchmarks import data
from benchmarks.data import Source
from benchmarks.places import BenchmarkError


class _Sample(msgspec.Struct, frozen=True, gc=False):
    device_name: str
    device_version: str
    start_date: str
    end_date: str
    value: float
    unit: str


class _Samples(msgspec.Struct):
    data: list[_Sample]


class _Users(msgspec.Struct):
    field_name: list[str]
    values: list[list[str]]


_decode_sample = msgspec.json.Decoder(_Sample).decode
_decode_samples = msgspec.json.Decoder(_Samples).decode
_decode_users = msgspec.json.Decoder(_Users).decode


def check(source: Source, bodies: Iterable[tuple[str, bytes]]) -> None:
    """See that each record without a fault arrived once, whole, and nothing else did.

    :raises BenchmarkError: if not.
    """
    arrived = 0
    distinct: set[int] = set()
    for path, body in bodies:
        records = list(_arrived(source.vendor, path, body))
        arrived += len(records)
        distinct.update(records)
    whole = _whole(source.vendor, source.records)
    expected = {whole[number] for number in source.numbers if not source.is_faulty(number)}
    if arrived != len(distinct) or distinct != expected:
        raise BenchmarkError(
            f"{source.path.name}: {len(expected):,} records should have arrived; {arrived:,} did, "
            f"{len(distinct):,} of them distinct, {len(expected & distinct):,} as they should be"
        )


@functools.cache
def _whole(vendor: str, records: int) -> array[int]:
    """Give the hash of each record without faults, by its number."""
    hashes: dict[str, Callable[[int], int]] = {
        "gerosense": lambda number: hash(_Sample(**data.sample(number))),
        "ptengine": lambda number: _hash_of_row(data.user(number).items()),
        "thymia": lambda number: _hash_of_json(data.mood(number)),
    }
    return array("q", map(hashes[vendor], range(records)))


def _arrived(vendor: str, path: str, body: bytes) -> Iterator[int]:
    if path.endswith("/_bulk"):
        return map(hash, map(_decode_sample, body.splitlines()[1::2]))
    if vendor == "gerosense":
        return map(hash, _decode_samples(body).data)
    if vendor == "ptengine":
        users = _decode_users(body)
        return (_hash_of_row(zip(users.field_name, row, strict=True)) for row in users.values)
    return iter([_hash_of_json(msgspec.json.decode(body))])


def _hash_of_row(cells: Iterable[tuple[str, str]]) -> int:
    return hash(tuple(sorted(cells)))


def _hash_of_json(value: Any) -> int:
    return hash(json.dumps(value, sort_keys=True))
