"""Reads `--fields`: pairs of field and column, or the argument `fields` as it stands in a DAG."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from airflow_provider_userdata.delivery.preparing import Column, Constant, Number, Timestamp, Word
from airflow_provider_userdata.errors import ArgumentError

_WORDS: Mapping[str, Callable[..., Word]] = {word.__name__: word for word in (Column, Constant, Number, Timestamp)}


def read_fields(text: str) -> Mapping[str, Word]:
    """Return where each field comes from. Nothing in the text is executed.

    :raises ArgumentError: if it can't be read.
    """
    return _from_code(text.strip()) if text.lstrip().startswith("{") else pairs("fields", text)


def pairs(option: str, text: str) -> dict[str, str]:
    """Return the pairs in a text such as `user_id=id,plan`; a name alone stands for both."""
    found: dict[str, str] = {}
    for part in text.split(","):
        field, equals, column = (piece.strip() for piece in part.partition("="))
        if not field or (equals and not column) or field in found:
            raise ArgumentError(
                f"--{option}: must be pairs such as 'field=column,other=column', each field once; or, for --fields, a "
                "dictionary in braces as in a DAG"
            )
        found[field] = column or field
    return found


def _from_code(text: str) -> dict[str, Word]:
    try:
        return _pairs(ast.parse(text, mode="eval").body)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        raise ArgumentError(
            '--fields: must be a dictionary such as {"user_id": "id", "unit": Constant("count")}, of columns, '
            f"{', '.join(_WORDS)} with plain values; the shell needs single quotes around it"
        ) from None


def _pairs(node: ast.expr) -> dict[str, Word]:
    if not isinstance(node, ast.Dict):
        raise TypeError
    return {_name(key): _word(value) for key, value in zip(node.keys, node.values, strict=True)}


def _name(node: ast.expr | None) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise TypeError
    return node.value


def _word(node: ast.expr) -> Word:
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id not in _WORDS:
            raise ValueError
        given = [_part(each) for each in node.args]
        named = {each.arg or "": _part(each.value) for each in node.keywords}
        return _WORDS[node.func.id](*given, **named)
    return _name(node)


def _part(node: ast.expr) -> object:
    return _word(node) if isinstance(node, ast.Call) else ast.literal_eval(node)
