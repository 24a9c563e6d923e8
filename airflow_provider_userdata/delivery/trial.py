"""What a delivery would send that only checks: how many requests, and what the first one looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.report import Counters
from airflow_provider_userdata.delivery.sending import Batch
from airflow_provider_userdata.vendors import Request, Vendor

MOST_ITEMS = 2
"""Items of a list that are shown, of names up to `MOST_KEYS`."""
MOST_KEYS = 20
"""Names that are shown: keys of an object, or a list of fields."""
_DEEPEST = 6
_SHORT_LIST = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s+\]")
"""A list of plain values, which stand one a line."""
_BREAK = re.compile(r"\n\s+")


@dataclass(eq=False, repr=False)
class Trial:
    """Takes the batches of a delivery that only checks.

    :param public_names: the field names that may stand in a log (A6).
    :param first_request: the first request in words, with its values masked; None if there is none.
    """

    vendor: Vendor
    public_names: frozenset[str]
    fates: OutcomeLog
    tally: Counters
    first_request: str | None = field(default=None, init=False)

    def take(self, batch: Batch) -> None:
        """Count a batch, and its records as valid."""
        if self.first_request is None:
            self.first_request = shown(self.vendor.request(batch), self.public_names)
        self.tally.would_send += 1
        self.fates.record_valid(batch)


def shown(request: Request, known: frozenset[str]) -> str:
    """Return a request in words that may be logged (A6): its form, without values.

    :param known: the field names that may be shown; other names may be somebody's data, and are masked, too.
    """
    head = f"POST {request.path}, {request.size:,} bytes of {request.content_type}"
    try:
        value = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError):
        return head
    text = msgspec.json.format(msgspec.json.encode(_masked(value, known)), indent=2).decode()
    return f"{head}:\n{_SHORT_LIST.sub(_in_one_line, text)}"


def _in_one_line(found: re.Match[str]) -> str:
    return f"[{_BREAK.sub(' ', found[1])}]"


def _masked(value: Any, known: frozenset[str], depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return _masked_object(value, known, depth)
    if isinstance(value, list):
        most = MOST_KEYS if all(isinstance(item, str) and item in known for item in value) else MOST_ITEMS
        items = [_masked(item, known, depth + 1) for item in value[:most]]
        more = len(value) - most
        return [*items, f"… and {more:,} more"] if more > 0 else items
    if isinstance(value, str):
        return value if value in known else "<text>"
    return "<true or false>" if isinstance(value, bool) else "<nothing>" if value is None else "<number>"


def _masked_object(value: dict[str, Any], known: frozenset[str], depth: int) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for number, (name, item) in enumerate(islice(value.items(), MOST_KEYS), start=1):
        masked[name if name in known else f"<name {number}>"] = _masked(item, known, depth + 1)
    if (more := len(value) - MOST_KEYS) > 0:
        masked["…"] = f"and {more:,} more"
    return masked
