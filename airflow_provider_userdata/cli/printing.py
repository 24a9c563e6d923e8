"""How commands speak: errors in one line, tables, and forms for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

import msgspec

from airflow_provider_userdata.errors import ArgumentError, UserdataError

_NOT_READ, _INTERRUPTED = 141, 130
"""Exit codes as shells give them to programs that a signal ended."""
_GAP = "  "
_NARROWEST = 12
"""Characters of a column that is wrapped, at least."""


def tool() -> str:
    """Return what people type before a command: the name by which this one was called."""
    return "airflow userdata" if Path(sys.argv[0]).stem == "airflow" else "python -m airflow_provider_userdata"


@contextmanager
def said(code: int = 1) -> Iterator[None]:
    """Turn an error of this package into one line and an exit code; end quietly if nobody reads on, as `head` does."""
    # A command has Airflow's database; without this, Airflow 3 looks for connections in the environment only.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries to write the rest at its end
        sys.exit(_NOT_READ)
    except KeyboardInterrupt:
        print("\nuserdata: stopped", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except (UserdataError, OSError) as error:
        if code == 1:
            sys.exit(f"userdata: {_words(error)}")
        print(f"userdata: {_words(error)}", file=sys.stderr)
        sys.exit(code)


def _words(error: UserdataError | OSError) -> str:
    if not isinstance(error, OSError):
        return str(error)
    reason = error.strerror or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else f"the output can't be written: {reason}"


def confirm(asked: Namespace, question: str, done: str) -> None:
    """Ask, unless the command line says yes.

    :raises ArgumentError: if the answer is no, so that nothing is done; or if nobody can answer.
    """
    if asked.yes:
        return
    if not sys.stdin.isatty():
        raise ArgumentError("the input is not a terminal, so nobody can confirm: say --yes")
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise ArgumentError(f"nothing was {done}")


def user_of(text: str) -> str:
    """Return the user that `--user` names. With `-`, it is the first line of the input.

    So it stays out of the command line, which shells store and other processes can see.

    :raises ArgumentError: if it is empty.
    """
    user = sys.stdin.readline().rstrip("\r\n") if text == "-" else text
    if not user.strip():
        raise ArgumentError("--user: is empty; with -, the first line of the input is the user")
    return user


def structured(value: object, form: str) -> str:
    """Return a value for programs.

    :param form: `json` or `yaml`.
    """
    if form == "yaml":
        plain = json.loads(json.dumps(value, default=str))
        return msgspec.yaml.encode(plain).decode().rstrip("\n")
    return json.dumps(value, indent=2, default=str)


def table(rows: Sequence[Mapping[str, object]], indent: int = 0, whole: str | None = None) -> str:
    """Return rows, which have the same columns, as a table. In a terminal, long cells are wrapped to its width.

    :param indent: how many blanks each line begins with.
    :param whole: the column whose cells are not broken, so that people can copy them.
    """
    width = shutil.get_terminal_size().columns - indent if sys.stdout.isatty() else None
    return textwrap.indent(laid_out(rows, width, whole), " " * indent)


def laid_out(rows: Sequence[Mapping[str, object]], width: int | None, whole: str | None = None) -> str:
    """Return rows as a table.

    :param width: the most characters of a line; None if it doesn't matter.
    :param whole: the column whose cells are not broken: where they don't fit, each has a line of its own.
    """
    cells = [["" if value is None else printable(str(value)) for value in row.values()] for row in rows]
    lines = [list(rows[0]), *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if width is not None and whole is not None and not _fits(lines, widths, width, list(rows[0]).index(whole)):
        return "\n".join(_apart(lines, width, list(rows[0]).index(whole)))
    if width is not None:
        widths = _narrowed(widths, width - len(_GAP) * (len(widths) - 1))
    return "\n".join(part for line in lines for part in _wrapped(line, widths))


def counted(count: int, one: str, several: str | None = None) -> str:
    """Return a number and what is counted, such as `1 record` or `1,234 records`.

    :param several: what more than one of it, or none, is called. Default: with an s.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def printable(text: str) -> str:
    """Replace what would not be shown, or would change how a terminal shows the rest."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _narrowed(widths: list[int], room: int) -> list[int]:
    """Return the widths of columns so that they fit, if they can: the widest give way."""
    while sum(widths) > room and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        second = max([*(width for width in widths if width < widths[widest]), _NARROWEST])
        widths[widest] = max(second - 1, widths[widest] - (sum(widths) - room), _NARROWEST)
    return widths


def _wrapped(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Return a row's lines."""
    parts = [
        textwrap.wrap(cell, width) if len(cell) > width else [cell] for cell, width in zip(line, widths, strict=True)
    ]
    for together in zip_longest(*parts, fillvalue=""):
        yield _GAP.join(map(str.ljust, together, widths)).rstrip()


def _fits(lines: Sequence[Sequence[str]], widths: Sequence[int], width: int, whole: int) -> bool:
    """Return whether a table fits, if the other columns are only broken between words."""
    words = [
        max([len(word) for cell in column for word in cell.split()], default=0) for column in zip(*lines, strict=True)
    ]
    least = [widths[place] if place == whole else words[place] for place in range(len(widths))]
    return sum(least) + len(_GAP) * (len(least) - 1) <= width


def _apart(lines: Sequence[Sequence[str]], width: int, whole: int) -> Iterator[str]:
    """Return the lines of a table of which one column has lines of its own, above those of the others."""
    others = [[cell for place, cell in enumerate(line) if place != whole] for line in lines]
    widths = [max(map(len, column)) for column in zip(*others, strict=True)]
    widths = _narrowed(widths, width - len(_GAP) * len(widths))
    for line, rest in zip(lines, others, strict=True):
        yield line[whole]
        yield from (f"{_GAP}{part}" for part in _wrapped(rest, widths))
