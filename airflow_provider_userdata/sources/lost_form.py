"""What spreadsheets do to cells by themselves: the value is the same, or meant to be, and only its form is lost.

Changes in the other direction are corrections: `000046` becomes `46` by itself, and `46` becomes `000046` by a person.
"""

from __future__ import annotations

import re
import unicodedata

from airflow_provider_userdata.sources.lost_form_moments import lost_moment_form
from airflow_provider_userdata.sources.lost_form_numbers import lost_number_form

LONGEST_CELL = 32_767
"""Characters: spreadsheets cut a longer text when they open it."""
_TRUTHS = (
    *({"true", "wahr", "vrai", "vero", "verdadero", "verdadeiro", "waar"},),
    *({"false", "falsch", "faux", "falso", "onwaar"},),
)
_ERRORS = ("#NAME?", "#VALUE!", "#REF!", "#DIV/0!", "#N/A", "#NUM!", "#NULL!")
_BREAK = re.compile(r"\r\n?")
_HASHES = re.compile(r"#{3,}")


def lost_form(before: str, after: str) -> str | None:
    """Return in words which change of a spreadsheet's own a cell has; None if it is a correction."""
    if before == after:
        return None
    if after in _ERRORS or _HASHES.fullmatch(after):
        return f"became an error of the spreadsheet's, such as {_ERRORS[0]}"
    if _is_other_truth(before, after):
        return "true or false is written in another way"
    if before.strip() == after.strip():
        return "blanks at the ends are gone" if len(after) < len(before) else None
    if _BREAK.sub("\n", before) == _BREAK.sub("\n", after):
        return "line breaks are others"
    if unicodedata.normalize("NFC", before) == unicodedata.normalize("NFC", after):
        return "letters with marks are written in another way"
    if _has_lost_letters(before, after):
        return "letters became question marks"
    return lost_number_form(before.strip(), after.strip()) or lost_moment_form(before.strip(), after.strip())


def is_cut(before: str, after: str) -> bool:
    """Return whether a cell only holds less of a text than there was, because a spreadsheet can't hold more."""
    return len(before) > LONGEST_CELL and len(after) == LONGEST_CELL and before.startswith(after)


def _is_other_truth(before: str, after: str) -> bool:
    """Return whether true or false isn't written as it was; `TRUE` to `true` is a correction."""
    small = before.casefold().strip()
    if small not in ("true", "false") or after in ("true", "false"):
        return False
    return any(small in words and after.casefold().strip() in words for words in _TRUTHS)


def _has_lost_letters(before: str, after: str) -> bool:
    """Return whether letters became question marks, as in a file that was saved in a narrower encoding."""
    if before.isascii() or len(before) != len(after):
        return False
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    return all(other == "?" and not one.isascii() for one, other in changed)
