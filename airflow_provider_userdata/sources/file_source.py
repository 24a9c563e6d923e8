"""Files that their names don't describe: another encoding, delimiter or format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_userdata.errors import SourceError


@dataclass(eq=False)
class FileSource:
    """Files, and how they are written. What is not given follows from each file's name.

    :param path: a path or glob, or a list of them, local or in an object store. (templated)
    :param format: `jsonl`, `json`, `csv`, `tsv` or `parquet`. Default: by the ending of each file's name.
    :param encoding: the text's encoding as Python names it, such as `cp932`, `shift_jis`, `utf-16` or `latin-1`.
    :param delimiter: the character between the cells of a table, such as `;` or `|`. Default: a comma; a tab for `tsv`.
    :param quote: the character around a cell of a table; None if quotes are text. Default: `"`.
    :param escape: the character before a quote, delimiter or line end that is text, such as a backslash. Default: none,
        a quote within a quoted cell is doubled.
    :param skip_lines: how many lines before the header, or before the first record, are left out. Default: 0.
    :param records: where in a JSON file that is an object the list of records stands, such as `data` or `result.items`.
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
            if value is not None and not (isinstance(value, str) and len(value) == 1 and value not in "\r\n\0"):
                raise _wrong(name, "one character, or None")
        given = [value for value in (self.delimiter, self.quote, self.escape) if value is not None]
        if len(set(given)) < len(given):
            raise _wrong("delimiter, quote and escape", "different characters")
        if isinstance(self.skip_lines, bool) or not isinstance(self.skip_lines, int) or self.skip_lines < 0:
            raise _wrong("skip_lines", "a number of lines, 0 or more")
        if self.records is not None and not (isinstance(self.records, str) and all(self.records.split("."))):
            raise _wrong("records", "names with dots between them, such as 'data'")


def _wrong(name: str, wanted: str) -> SourceError:
    return SourceError(f"source: FileSource: {name} must be {wanted}")


def _is_text_encoding(name: object) -> bool:
    try:
        return isinstance(name, str) and bool("a\n".encode(name))
    except (LookupError, ValueError, UnicodeError):
        return False
