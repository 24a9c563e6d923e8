"""What each rule that keeps a record from being delivered says, in a few words: for summaries and errors.

The whole of each rule stands in `docs/rules.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

SHORT = {
    "T1": "not to be written as JSON",
    "T5": "not of the form user and data",
    "T6": "userLabel blank or no text",
    "T7": "not of the agreed format",
    "T8": "looks like personal data",
    "T9": "a success without an upload id",
    "T10": "refused by Thymia",
    "G1": "not to be written as JSON",
    "G4": "fewer than 3 samples",
    "G5": "device or fields not as GeroSense names them",
    "G6": "dates missing, or the end before the start",
    "G7": "a timestamp that is not ISO 8601 with an offset",
    "G8": "a unit or value that is not allowed",
    "G10": "a 200 that is no word of GeroSense's",
    "G11": "some of a request not accepted",
    "G12": "refused together with others",
    "G13": "GeroSense in maintenance",
    "P1": "not to be written as JSON",
    "P2": "not an object",
    "P3": "user_id missing, over 50 fields, or a name over 50 characters",
    "P4": "longer than 128 characters",
    "P6": "a value without a form as text",
    "P7": "user_id blank, or neither text, integer nor UUID",
    "P9": "a 200 without the word Success",
    "P10": "refused by Ptengine",
    "P11": "refused together with others",
    "A1": "key, permission or address refused",
    "A2": "the vendor down or out of reach",
    "A3": "sent, and not answered",
    "A4": "an answer that is no acceptance, or none for too long",
    "A5": "left when the delivery ended",
    "A7": "not readable as a record",
    "validate_only": "checked and not sent",
}
"""By the rule's number. A vendor of one's own adds its rules here."""


def by_rule(counts: Mapping[str, int]) -> str:
    """Write counts by rule with what each rule says: `P4, longer than 128 characters: 12; P7, …`.

    :param counts: how many records each rule kept from being delivered; a rule without words stands alone.
    """
    named = {f"{rule}, {SHORT[rule]}" if rule in SHORT else rule: count for rule, count in counts.items()}
    return "; ".join(f"{rule}: {count:,}" for rule, count in named.items())
