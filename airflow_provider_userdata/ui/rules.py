"""What each rule means, and what to do about it, from `rules.json`, which is made from `docs/rules.md`."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("rules.json")


class Rule(msgspec.Struct, frozen=True):
    """A rule, in words for people.

    :param says: what it demands, or what happened.
    :param do: what to do about a record that it kept from being delivered.
    """

    says: str
    do: str


@functools.cache
def all_rules() -> Mapping[str, Rule]:
    """Return every rule."""
    return msgspec.json.decode(FILE.read_bytes(), type=dict[str, Rule])


def of(names: Collection[str]) -> dict[str, Rule]:
    """Return some rules, in the order of their names; a name without a rule is left out."""
    every = all_rules()
    return {name: every[name] for name in names if name in every}
