"""Names that somebody may have meant, where a name isn't known."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

MOST = 3
"""Names that are suggested."""


def suggested(name: str, names: Sequence[str]) -> str:
    """Return a sentence that names what is like a name, or else some of what there is; empty if there is nothing.

    :param names: the most useful last.
    """
    if close := alike(name, names):
        return close
    if not names:
        return ""
    more = len(names) - MOST
    shown = [*map(repr, names[-MOST:]), *([f"{more:,} more"] if more > 0 else [])]
    return f" There {'is' if len(names) == 1 else 'are'} {listed(shown, 'and')}."


def alike(name: str, names: Sequence[str]) -> str:
    """Return a sentence that names what is like a name; empty if nothing is."""
    close = difflib.get_close_matches(name, names, MOST, cutoff=0.7)
    return f" Did you mean {listed([repr(one) for one in close], 'or')}?" if close else ""


def listed(words: Sequence[str], last: str) -> str:
    """Return words as a list in a sentence.

    :param last: what stands before the last one, such as `or`.
    """
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)
