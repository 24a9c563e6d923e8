"""Files that their names don't describe: another encoding, delimiter or format."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources.untemplated import as_texts

_TABLES = frozenset({"csv", "tsv"})
_TEXTS = _TABLES | {"json", "jsonl", "ndjson"}
_ONLY_FOR = {
    "encoding": _TEXTS,
    "delimiter": _TABLES,
    "quote": _TABLES,
    "escape": _TABLES,
    "skip_lines": _TEXTS,
    "records": frozenset({"json"}),
}
"""The formats that an option is for."""


@dataclass(eq=False)
class FileSource:
    """Files, and how they are written. What is not given follows from each file's name.

    :param path: a path or glob, or a list of them, local or in an object store. (templated)
    :param format: `jsonl`, `json`, `csv`, `tsv` or `parquet`. Default: by the ending of each file's name. A name that
        ends in `.gz` is a compressed file's in any case.
    :param encoding: the text's encoding as Python names it, such as `cp932`, `shift_jis`, `utf-16` or `latin-1`.
        Default: UTF-8.
    :param delimiter: the character between the cells of a table, such as `;` or `|`. Default: a comma; a tab for `tsv`.
    :param quote: the character around a cell of a table; None if quotes are text. Default: `"`. Within a quoted cell it
        is doubled.
    :param escape: the character before a quote, a delimiter, a line end or itself where that is text, such as a
        backslash. Before anything else, such as the `N` of MySQL's NULL, it could be read in two ways: that is a fault
        of the file. Default: none.
    :param skip_lines: how many lines before the header, or before the first record, are left out. Default: 0.
    :param records: where in a JSON file that is an object the list of records stands, such as `data` or `result.items`.
        Default: the file is a list.
    """

    template_fields = ("path",)
    rendered = False
    """Whether this is a copy with rendered templates."""

    path: Any
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str | None = '"'
    escape: str | None = None
    skip_lines: int = 0
    records: str | None = None

    def __post_init__(self) -> None:
        self.path = as_texts(self.path)

    def __repr__(self) -> str:
        names = [*(["format"] if self.format else []), *self._given()]
        return f"FileSource({', '.join([repr(self.path), *(f'{name}={getattr(self, name)!r}' for name in names)])})"

    def resolve(self, context: Mapping[str, Any]) -> FileSource:
        """Return a rendered copy. Airflow calls this; otherwise it would change this object, which other runs share."""
        copy = replace(self, path=context["task"].render_template(self.path, context))
        copy.rendered = True
        return copy

    def check(self, formats: frozenset[str]) -> None:
        """Check the options.

        :param formats: the formats that there are.
        :raises SourceError: if one can't work.
        """
        if self.format is not None and self.format not in formats:
            raise _wrong("format", f"one of {', '.join(sorted(formats))}, or None for each file's own ending")
        if not _is_text_encoding(self.encoding):
            raise _wrong("encoding", "a text encoding that Python knows, such as 'utf-8', 'cp932' or 'utf-16'")
        for name in ("delimiter", "quote", "escape"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and len(value) == 1 and _may_mark(value)):
                raise _wrong(name, "one ASCII character, or None")
        if isinstance(self.skip_lines, bool) or not isinstance(self.skip_lines, int) or self.skip_lines < 0:
            raise _wrong("skip_lines", "a number of lines, 0 or more")
        if self.records is not None and not (isinstance(self.records, str) and all(self.records.split("."))):
            raise _wrong("records", "names with dots between them, such as 'data'")
        if self.format is not None:
            self.check_for(self.format)

    def check_for(self, form: str) -> None:
        """Check that the options fit a file's format.

        :raises SourceError: if one doesn't.
        """
        for name in self._given():
            if form not in _ONLY_FOR[name]:
                wanted = ", ".join(sorted(_ONLY_FOR[name]))
                raise SourceError(f"source: FileSource: {name} is an option for {wanted}, and the format is {form}")
        marks = [mark for mark in (self.delimiter_for(form), self.quote, self.escape) if mark is not None]
        if form in _TABLES and len(set(marks)) < len(marks):
            raise _wrong("delimiter, quote and escape", "different characters (a doubled quote needs no escape)")

    def delimiter_for(self, form: str) -> str:
        """Return the character between the cells of a table."""
        return self.delimiter or ("\t" if form == "tsv" else ",")

    def _given(self) -> list[str]:
        """Return the names of the options that were given, apart from the format."""
        return [name for name in _ONLY_FOR if getattr(self, name) != getattr(FileSource, name)]


def _wrong(name: str, wanted: str) -> SourceError:
    return SourceError(f"source: FileSource: {name} must be {wanted}")


def _may_mark(character: str) -> bool:
    return character.isascii() and character not in "\r\n\0"


def _is_text_encoding(name: object) -> bool:
    try:
        return isinstance(name, str) and bool("a\n".encode(name)) and codecs.lookup(name).incrementaldecoder is not None
    except (LookupError, ValueError, UnicodeError):
        return False
