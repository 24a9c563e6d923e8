"""Writes what the page and the commands say of the rules, from the tables of docs/rules.md: `make schemas`."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from airflow_provider_userdata.ui.rules import FILE, Rule

DOCS = Path(__file__).parents[1] / "docs" / "rules.md"
_ROW = re.compile(r"^\| `?(\w+)`?(\\?\*)? \| (.+) \| (.+) \|$", re.MULTILINE)
_HEADS = {"rule", "key"}
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_EMPHASIS = re.compile(r"\*([^*]+)\*")


def rules(markdown: str) -> dict[str, Rule]:
    """Return the rules of the tables, by name.

    :param markdown: a text with tables of three columns: the rule, what it says, and what to do.
    """
    return {
        row[1]: Rule(says=_sentence(row[3]), do=_sentence(row[4]))
        for row in _ROW.finditer(markdown)
        if row[1] not in _HEADS
    }


def text(markdown: str) -> str:
    """Return the text of the file."""
    return msgspec.json.format(msgspec.json.encode(rules(markdown)), indent=2).decode() + "\n"


def _sentence(cell: str) -> str:
    """Return a cell as a plain sentence, without Markdown."""
    plain = _EMPHASIS.sub(r"\1", _LINK.sub(r"\1", cell)).replace("`", "")
    first = plain[:1] if cell.startswith("`") else plain[:1].upper()  # a name of code keeps its case
    return f"{first}{plain[1:].removesuffix('.')}."


if __name__ == "__main__":
    FILE.write_text(text(DOCS.read_text()))
