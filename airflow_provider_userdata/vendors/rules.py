"""The rules that hold for every vendor, and what each rule says in a few words, for summaries and errors.

`docs/rules.md` has the whole text of each rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_userdata import registry

WRONG_ACCESS = "A1"
OUT_OF_REACH = "A2"
UNANSWERED = "A3"
NOT_ACCEPTED = "A4"
LEFT_AT_THE_END = "A5"
UNREADABLE = "A7"
HELD_TOO_LONG = "A8"

REFUSALS = frozenset({"T10", "G10", "G12", "P10", "P11"})
"""The rules of refused records only: they tell refused records from invalid ones in counts of an earlier version."""

SHARED: Mapping[str, str] = {
    WRONG_ACCESS: "key, permission or address refused",
    OUT_OF_REACH: "vendor down or out of reach",
    UNANSWERED: "sent, and not answered",
    NOT_ACCEPTED: "an answer that is not an acceptance, or none for too long",
    LEFT_AT_THE_END: "left when the delivery ended",
    UNREADABLE: "not readable as a record",
    HELD_TOO_LONG: "held for longer than held_max_age allows",
}
"""The words of each rule that all vendors share. A vendor declares its own rules' words in `Vendor.rules`."""


def by_rule(counts: Mapping[str, int]) -> str:
    """Return counts by rule, with the words of each rule: `P4, longer than 128 characters: 12; P7, …`.

    :param counts: how many records each rule kept from being delivered. A rule without words stands alone.
    """
    words = dict(SHARED)
    for contract in registry.contracts():
        words.update(contract.rules)
    return "; ".join(
        f"{rule}, {words[rule]}: {count:,}" if rule in words else f"{rule}: {count:,}" for rule, count in counts.items()
    )
