"""Checks a table's header: which columns it must have, and how they are named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from airflow_provider_userdata.delivery.reading import Header
from airflow_provider_userdata.sources.file_limits import BadFileError

_MOST_NAMES = 20
"""How many of a table's columns a message names."""
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns are taken.

    :param names: the columns that a table must have.
    :param only: whether other columns are ignored.
    """

    names: Collection[str] = ()
    only: bool = False


def missing_columns(wanted: Wanted, taken: Collection[str], names: Sequence[str]) -> str | None:
    """Return which of the columns that a table must have are missing, to follow its name; None if none is.

    :param taken: the names of the columns that are taken.
    :param names: the names of all its columns. Unlike those of a CSV file, they are never data.
    """
    missing = [name for name in wanted.names if name not in taken]
    if not missing:
        return None
    noun = "column" if len(missing) == 1 else "columns"
    has = ", ".join(map(repr, names[:_MOST_NAMES])) or "none"
    more = f" and {others} more" if (others := len(names) - _MOST_NAMES) > 0 else ""
    return f"lacks the {noun} {', '.join(map(repr, missing))}; it has {has}{more}{_advice(wanted, missing[0])}"


def checked_header(cells: Sequence[str], wanted: Wanted, delimiter: str) -> Header:
    """Return a table's header. An ignored column may have any name; without a unique name, it gets a new one.

    :raises BadFileError: if a column that is taken is missing, or its name is not usable.
    """
    # Messages number the columns and don't quote names: if the header is missing, the first line is somebody's data.
    _check_delimiter(cells, wanted, delimiter)
    names: dict[str, int] = {}
    given = set(cells)
    for number, name in enumerate(cells, start=1):
        if not name.isascii() and any("\udc80" <= letter <= "\udcff" for letter in name):
            raise BadFileError("its header isn't UTF-8; name its encoding, as in FileSource(path, encoding='cp932')")
        if not wanted.only or name in wanted.names:
            _check_name(name, number, names, of_all=not wanted.only)
        elif not name.strip() or name in names:
            name = _new_name(number, given)  # noqa: PLW2901
        names[name] = number
    _check_complete(names, wanted)
    return Header(tuple(names))


def _check_delimiter(cells: Sequence[str], wanted: Wanted, delimiter: str) -> None:
    if len(cells) > 1 or cells[0] in wanted.names:
        return
    for other, plural in _DELIMITERS.items():
        if other != delimiter and other in cells[0]:
            raise BadFileError(
                f"its header is a single column with {plural} in its name; are its cells separated by {other!r}? Then "
                f"read it with FileSource(path, delimiter={other!r})"
            )


def _check_name(name: str, number: int, names: dict[str, int], *, of_all: bool) -> None:
    if not name.strip():
        raise BadFileError(f"column {number} of its header has no name")
    if name in names:
        raise BadFileError(f"columns {names[name]} and {number} of its header have the same name")
    if of_all and name != name.strip():
        raise BadFileError(
            f"column {number} of its header has blanks around its name; remove them, or name the columns in `fields`"
        )


def _check_complete(names: Collection[str], wanted: Wanted) -> None:
    missing = [column for column in wanted.names if column not in names]
    if not missing:
        return
    noun = "column" if len(missing) == 1 else "columns"
    bare = {name.strip(): number for number, name in enumerate(names, start=1)}
    blanks = [f"column {bare[name]} has blanks around that name" for name in missing if name in bare]
    # A name that differs in case and punctuation alone says no more than what the author wrote.
    like = None if blanks else next((name for name in names if _letters(name) == _letters(missing[0])), None)
    also = f"; {blanks[0]}" if blanks else _advice(wanted, missing[0], like)
    raise BadFileError(f"its header lacks the {noun} {', '.join(map(repr, missing))}{also}")


def _letters(name: str) -> str:
    """Return a name without case, blanks and punctuation; as it is if nothing else is in it."""
    return "".join(filter(str.isalnum, name.casefold())) or name


def _advice(wanted: Wanted, field: str, like: str | None = None) -> str:
    """Return what to do about a missing column, where nobody has said yet which columns hold the vendor's fields.

    :param like: a column that is named almost like it.
    """
    if wanted.only:
        return "" if like is None else f"; did you mean {like!r}?"
    column = "its name" if like is None else like
    named = f"fields={{{field!r}: {column!r}}}, in commands --fields '{field}={column}'"
    return f". If {'another column' if like is None else f'the column {like!r}'} holds it, say so: {named}"


def _new_name(number: int, given: set[str]) -> str:
    name = f"column {number}"
    while name in given:
        name += "'"
    given.add(name)
    return name
