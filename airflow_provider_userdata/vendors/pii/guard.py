"""The guard against personally identifiable data (T8): what in a user's record looks like it, and where."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from airflow_provider_userdata.vendors.pii.names import Kind, kind_of
from airflow_provider_userdata.vendors.pii.values import likeness, likeness_of_label
from airflow_provider_userdata.vendors.validation import Fault

_LABEL = ("user", "userLabel")
_RULE = "T8"
_LONGEST_KEPT = 100


class _Sight(NamedTuple):
    """What a field's name reveals.

    :param name: the field's name; the items of a list have that of the list.
    :param shown: the name as a path shows it.
    :param kind: what the name stands for, if it identifies a person.
    :param key_thing: what the name itself looks like, if it is data.
    :param matters: whether it reveals anything.
    """

    name: str
    shown: str
    kind: Kind | None = None
    key_thing: str | None = None
    matters: bool = False


_CONTAINERS = (dict, list)
_TELLS_NOTHING = frozenset({int, float, bool, type(None)})
"""Types of values that only their field's name can make suspicious."""

_Steps = Iterator[tuple[str | int, object, _Sight]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Finds what looks like personally identifiable data in a user's record (T8).

    :param allowed: fields that the author of the DAG lets through, with all that is below them: by their exact name,
        wherever it stands, or by the dotted path below `data` (`contact.email`; without indexes of lists).
        `userLabel` lets every label through.
    """

    allowed: frozenset[str] = frozenset()

    def find(self, user_label: str, data: Mapping[str, object]) -> list[Fault]:
        """Return what is found in a record decoded from JSON, in its order. A key that is itself found shows as `*`."""
        return [*self._in_label(user_label), *self._in_data(data)]

    def _in_label(self, user_label: str) -> Iterator[Fault]:
        thing = likeness_of_label(user_label)
        if thing is not None and not self.allowed.intersection((_LABEL[-1], ".".join(_LABEL))):
            yield Fault(_RULE, _LABEL, f"looks like {thing}")

    def _in_data(self, data: Mapping[str, object]) -> Iterator[Fault]:
        """Walk without recursion: a record may be nested deeper than Python calls can be."""
        where: list[str | int] = ["data"]
        ways = [self._fields(data, "", where)]
        while ways:
            for step, value, sight in ways[-1]:
                if sight.key_thing is not None and step == sight.shown:
                    yield Fault(_RULE, (*where, step), f"has a key that looks like {sight.key_thing}")
                reason = _reason(sight.kind, value)
                if reason is not None:
                    yield Fault(_RULE, (*where, step), reason)
                elif isinstance(value, _CONTAINERS):
                    where.append(step)
                    ways.append(self._below(value, sight, where))
                    break
            else:
                ways.pop()
                where.pop()

    def _below(self, value: dict[str, object] | list[object], sight: _Sight, where: list[str | int]) -> _Steps:
        return self._fields(value, sight.name, where) if isinstance(value, dict) else _items(value, sight)

    def _fields(self, fields: Mapping[str, object], above: str, where: list[str | int]) -> _Steps:
        for name, value in fields.items():
            if self.allowed and self._allows(name, where):
                continue
            # Names repeat in every record, so they are cached; a long key is probably content, and is not.
            see = _see if len(above) + len(name) <= _LONGEST_KEPT else _see.__wrapped__
            sight = see(above, name)
            if sight.matters or type(value) not in _TELLS_NOTHING:
                yield sight.shown, value, sight

    def _allows(self, name: str, where: list[str | int]) -> bool:
        return name in self.allowed or any(
            allowed.endswith(f".{name}") and allowed == _dotted([*where[1:], name]) for allowed in self.allowed
        )


def _dotted(steps: list[str | int]) -> str:
    """Return a path below `data`, without indexes of lists."""
    return ".".join([step for step in steps if isinstance(step, str)])


def _items(items: list[object], sight: _Sight) -> _Steps:
    for index, item in enumerate(items):
        if sight.kind is not None or type(item) not in _TELLS_NOTHING:
            yield index, item, sight


@functools.lru_cache(maxsize=4096)
def _see(above: str, name: str) -> _Sight:
    thing = likeness(name)
    kind = kind_of(above, name)
    return _Sight(name, name if thing is None else "*", kind, thing, kind is not None or thing is not None)


def _reason(kind: Kind | None, value: object) -> str | None:
    """Return why a value is refused, because of its field's name or its content. Empty, true and false are harmless."""
    if isinstance(value, str):
        if kind is not None and kind.fits_text(value):
            return kind.reason
        thing = likeness(value)
        return None if thing is None else f"looks like {thing}"
    if kind is None:
        return None
    if isinstance(value, int | float):
        return kind.reason if kind.fits_number(value) else None
    return kind.reason if kind.whole and _holds_something(value) else None


def _holds_something(value: object) -> bool:
    """Return whether an object or list contains anything but booleans and empty values."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif value is not None and value != "" and not isinstance(value, bool):
            return True
    return False
