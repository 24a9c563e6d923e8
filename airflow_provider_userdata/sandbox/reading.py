"""Reads a request's JSON more strictly than Python does, for the vendors' servers are not written in Python."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(eq=False)
class ContractBreach(Exception):  # noqa: N818 - an outcome, not a mistake of the sandbox
    """What was sent breaks a rule of the vendor's.

    :param rule: the rule's number.
    :param loc: where, as keys and positions; never a value, nor a key that the contract doesn't name.
    :param reason: what is wrong with it.
    :param kind: the kind of mistake, as Thymia names it in ``type``.
    """

    rule: str
    loc: tuple[str | int, ...]
    reason: str
    kind: str = "value_error"

    def __str__(self) -> str:
        return self.reason

    @property
    def path(self) -> str:
        """The place as text: ``data[3].value``."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.loc)
        return text.removeprefix(".")

    @property
    def message(self) -> str:
        """Place, reason and rule in one line."""
        return f"{self.path or 'body'}: {self.reason} ({self.rule})"


def read_json(rule: str, request: web.Request, body: bytes) -> Any:
    """Decode a body that has to be JSON, in UTF-8, not compressed.

    Beyond what ``json.loads`` refuses: NaN, infinities and numbers that become one, a key given twice, lone surrogates.

    :param rule: the rule that asks for JSON, for the refusal.
    """
    if request.content_type.lower() != "application/json":
        raise ContractBreach(rule, (), "the content type is not application/json", "content_type")
    if request.headers.get("Content-Encoding") not in (None, "", "identity"):
        raise ContractBreach(rule, (), "a content encoding is not part of the contract", "content_encoding")
    try:
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_finite, parse_float=_finite, object_pairs_hook=_once)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        # Not `from` the cause, whose text repeats the body.
        raise ContractBreach(rule, (), "the body is not valid JSON in UTF-8", "json_invalid") from None
    return value


def only_keys(
    rule: str, value: Any, loc: tuple[str | int, ...], required: tuple[str, ...], known: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Check that a value is an object with the required keys, and no others but known ones."""
    if not isinstance(value, dict):
        raise ContractBreach(rule, loc, "must be an object", "dict_type")
    for key in required:
        if key not in value:
            raise ContractBreach(rule, (*loc, key), "is required", "missing")
    if len(value) > len(required) and not value.keys() <= known:
        raise ContractBreach(rule, (*loc, "*"), "a key that the contract does not name", "extra_forbidden")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number out of range")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is given twice")
    return value
