"""Detects envelopes: JSON objects around an array of records, as many APIs return them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from airflow_provider_userdata.sources.file_limits import BadFileError

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_DEEPEST = 3
_USUAL = re.compile(
    "content|data|elements|entries|hits|items|list|objects|records|response|results?|rows|samples|users|values?"
)
"""Names around arrays of records that a message may show: another one may be somebody's."""
_ABOUT = re.compile(
    r"@odata\..*|_?links|code|columns|count|(end_?|next_?)?cursor|e?tag|errors?|extensions|first|has_?(more|next)|kind|last|"
    r"limit|messages?|meta(data)?|next(_?(page|page_?token|url))?|object|offset|ok|pages?|page_?(count|info|number|size|"
    r"token)|pagination|paging|per_?page|prev(ious)?|request_?id|schema|self|size|status|success|timestamp|took|"
    r"total(_?(count|pages))?|result_?count|url|version|warnings",
    re.IGNORECASE,
)
"""Names of fields beside the array: counts, links to more pages, status."""


def check_record(text: bytes, columns: Collection[str], *, alone: bool = True) -> None:
    """Check that a JSON text isn't an envelope.

    :param text: the text; it need not be valid JSON.
    :param columns: the fields that a record must have.
    :param alone: whether it is the file's only content. If there is more, it may also be an invalid record.
    :raises BadFileError: if it is an envelope.
    """
    try:
        count, names = _inside(_OBJECT.decode(text), columns, alone=alone)
    except (msgspec.DecodeError, RecursionError):
        return  # not an object: it is rejected as a record, or the file is refused
    if count:
        noun = "record" if count == 1 else "records"
        hint = f", or read it with FileSource(path, records={_shown(names)})" if alone else ""
        raise BadFileError(
            f"it contains an object around an array of {count} {noun}, as APIs return it; write the array alone, or "
            f"JSON lines{hint}"
        )


def _inside(
    fields: Mapping[str, msgspec.Raw], columns: Collection[str], *, alone: bool, names: tuple[str, ...] = ()
) -> tuple[int, tuple[str, ...]]:
    """Return how many records an envelope contains, and the names around them; 0 if the object is a record itself."""
    if _is_one(fields, columns):
        return 0, names
    data = [(name, value) for name, value in fields.items() if not _ABOUT.fullmatch(name)]
    only = len(data) == 1
    for name, value in data:
        items = _objects(value)
        if items and (_is_one(items[0], columns) or (only and (alone or not columns))):
            return len(items), (*names, name)
    if only and alone and len(names) < _DEEPEST - 1 and _begins(data[0][1], b"{"):
        return _inside(_OBJECT.decode(data[0][1]), columns, alone=alone, names=(*names, data[0][0]))
    return 0, names


def _shown(names: tuple[str, ...]) -> str:
    return repr(".".join(names)) if all(map(_USUAL.fullmatch, names)) else "the array's name"


def _objects(value: msgspec.Raw) -> list[dict[str, msgspec.Raw]]:
    if not _begins(value, b"["):
        return []
    try:
        return _OBJECTS.decode(value)
    except msgspec.DecodeError:
        return []


def _begins(value: msgspec.Raw, mark: bytes) -> bool:
    return memoryview(value)[:1] == mark


def _is_one(fields: Collection[str], columns: Collection[str]) -> bool:
    return bool(columns) and all(column in fields for column in columns)
