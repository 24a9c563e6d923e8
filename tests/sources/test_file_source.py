"""Files that their names don't describe, read as they are by a `FileSource`."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pathlib
import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading import TextRow
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import FileSource, open_source, read

USERS = [{"user_id": "u1", "plan": "pro"}, {"user_id": "u2", "plan": "free"}]
ENCODINGS = {
    "utf-8": "é¦日",
    "utf-16": "é¦日",
    "cp932": "日本ソ表能①髙",  # some of these have a backslash, or a vertical bar, as their second byte
    "shift_jis": "日本ソ表能ア",
    "latin-1": "é¦\x85ÿ",
}


def rows_of(source: object, **options: Any) -> list[Any]:
    """Read all rows: of a table as dictionaries, of JSON as values."""
    return [
        row.as_dict() if isinstance(row, TextRow) else json.loads(row)
        for chunk in open_source(source, **options).chunks()
        for row in chunk.rows
    ]


def refusal(source: object, **options: Any) -> str:
    """Say why a source isn't opened."""
    with pytest.raises(SourceError, match=r"^source: ") as caught:
        open_source(source, **options)
    return str(caught.value)


def test_a_file_in_cp932_with_semicolons_and_quotes_round_every_cell(tmp_path: pathlib.Path) -> None:
    """As Excel and Access write it in Japan: value for value."""
    rows = [["u1", "表示;能力", '5" パイプ'], ["u2", "ソ\r\n\\100", "①"], ["", "a,b", "¥"]]
    with (tmp_path / "x.csv").open("w", encoding="cp932", errors="replace", newline="") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["user_id", "プラン", "n"], *rows[:2]])
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerow(["", "a,b", "x"])
    source = FileSource(str(tmp_path / "x.csv"), encoding="cp932", delimiter=";")
    rows[2][2] = "x"
    assert rows_of(source) == [dict(zip(["user_id", "プラン", "n"], row, strict=True)) for row in rows]
    assert [dict(row) for row in read(source)] == rows_of(source)


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("x.csv", "user_id;plan\nu1;pro\nu2;free\n", {"delimiter": ";"}),
        ("x.csv", "user_id|plan\nu1|pro\nu2|free\n", {"delimiter": "|"}),
        ("x.csv", "user_id\x01plan\nu1\x01pro\nu2\x01free\n", {"delimiter": "\x01"}),
        ("x.csv", "user_id\tplan\nu1\tpro\nu2\tfree\n", {"format": "tsv"}),
        ("x.csv", "user_id^plan\nu1^-pro-\n-u2-^free\n", {"delimiter": "^", "quote": "-"}),
        ("x.csv", "'user_id','plan'\n'u1','pro'\nu2,free\n", {"quote": "'"}),
        ("x.dat", "user_id,plan\nu1,pro\nu2,free\n", {"format": "csv"}),
        ("noending", "user_id,plan\nu1,pro\nu2,free\n", {"format": "csv"}),
        ("x.json", "user_id,plan\nu1,pro\nu2,free\n", {"format": "csv"}),
        ("x.csv", "Report\n\nuser_id,plan\nu1,pro\nu2,free\n", {"skip_lines": 2}),
        ("x.csv", "\ufeffReport\r\nuser_id,plan\r\nu1,pro\r\nu2,free\r\n", {"skip_lines": 1}),
        ("x.csv", "Report\ruser_id,plan\ru1,pro\ru2,free\r", {"skip_lines": 1}),
        (
            "x.jsonl",
            '# made by x\n{"user_id": "u1", "plan": "pro"}\n{"user_id": "u2", "plan": "free"}',
            {"skip_lines": 1},
        ),
        ("x.txt", json.dumps(USERS), {"format": "json"}),
        ("x.json", json.dumps({"data": USERS}), {"records": "data"}),
        ("x.txt", json.dumps({"a": [{}], "data": USERS, "next": None}), {"records": "data", "format": "json"}),
        (
            "x.json",
            json.dumps({"n": {"items": []}, "result": {"x": 1, "items": USERS, "y": []}}, indent=1),
            {"records": "result.items"},
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932"])
@pytest.mark.parametrize("packed", [False, True])
def test_each_option_says_how_a_file_is_written(
    tmp_path: pathlib.Path, name: str, text: str, options: dict[str, Any], encoding: str, packed: bool
) -> None:
    """With any encoding, and compressed if the name ends in .gz."""
    if encoding == "cp932":
        text = text.removeprefix("\ufeff")
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode(encoding)) if packed else text.encode(encoding))
    assert rows_of(FileSource(path, encoding=encoding, **options)) == USERS


@pytest.mark.parametrize(
    ("text", "options", "cells"),
    [
        ('a,b\n"x","y\n', {"quote": None}, [['"x"', '"y']]),
        ('a\tb\n"Big\t5"\n', {"quote": None, "delimiter": "\t"}, [['"Big', '5"']]),
        ('a,b\n"say \\"hi\\"",x\n', {"escape": "\\"}, [['say "hi"', "x"]]),
        ('a,b\n"say ""hi"" \\\\",x\n', {"escape": "\\"}, [['say "hi" \\', "x"]]),
        ("a,b\nx\\,y,two\\\nlines\n", {"escape": "\\", "quote": None}, [["x,y", "two\nlines"]]),
        ('a\tb\nx\\\ty\t5" \\\\\n', {"escape": "\\", "quote": None, "delimiter": "\t"}, [["x\ty", '5" \\']]),
        ("a^b\n'^x^y''\n", {"escape": "'", "delimiter": "^", "quote": None}, [["^x", "y'"]]),
        ("a,b\n'it''s',x\n'it^'s',^^\n", {"escape": "^", "quote": "'"}, [["it's", "x"], ["it's", "^"]]),
    ],
)
def test_quotes_and_escapes_are_read_as_the_author_says(
    tmp_path: pathlib.Path, text: str, options: dict[str, Any], cells: list[list[str]]
) -> None:
    """A quote may be text, or another character; an escape makes text of what follows."""
    (tmp_path / "x.csv").write_text(text)
    source = FileSource(tmp_path / "x.csv", **options)
    assert [list(row.values()) for row in rows_of(source)] == cells


@pytest.mark.parametrize(
    "row", ["\\N,x", "a\\tb,x", "a\\", 'a,"b\\n"', "C:\\temp,x", '"say \\n",x', "a\\\r\nb,x", "\\"]
)
def test_an_escape_before_anything_else_is_a_fault_of_the_file(tmp_path: pathlib.Path, row: str) -> None:
    r"""`\N` may be NULL or an N, `\t` a tab or a t: nothing is guessed."""
    (tmp_path / "x.csv").write_bytes(b"# comment\na,b\n1,2\n\n3,4\n" + row.encode())
    source = FileSource(tmp_path / "x.csv", escape="\\", skip_lines=1)
    with pytest.raises(SourceError, match="line 6 has an escape that could be read in two ways: escape nothing but"):
        rows_of(source)


def test_a_table_with_tabs_whose_quotes_are_in_doubt_says_so(tmp_path: pathlib.Path) -> None:
    """With an escape, too."""
    (tmp_path / "x.tsv").write_text('a\tb\n"Big\t1\n')
    for escape in (None, "\\"):
        with pytest.raises(SourceError, match="line 2 has a cell that begins with a quote"):
            rows_of(FileSource(tmp_path / "x.tsv", escape=escape))
    assert rows_of(FileSource(tmp_path / "x.tsv", quote=None)) == [{"a": '"Big', "b": "1"}]


ONE = st.sampled_from(",;|\t:^ ~-]'\"\\$.#x\x01")
LETTERS = st.sampled_from(["a", "N", "x", "", *",;|\t:^ ~-]'\"\\$.#x", "\n", "\r", "\r\n", '"', "\\"])


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    """Draw how a table is written: what a `FileSource` can name, and what it can't see."""
    delimiter, *others = draw(st.lists(ONE, min_size=3, max_size=3, unique=True))
    quote = draw(st.sampled_from([others[0], '"', None]))
    escape = draw(st.sampled_from([others[1], "\\", None]))
    if len({delimiter, quote, escape}) < 3:
        quote, escape = None, None
    quoting = [csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE] if quote else [csv.QUOTE_NONE]
    return {
        "delimiter": delimiter,
        "quotechar": quote,
        "escapechar": escape,
        "quoting": draw(st.sampled_from(quoting)),
        "doublequote": draw(st.booleans()),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n", "\r"])),
    }


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[str], list[list[str]]]:
    """Draw an encoding, and a table that can be written in it."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    cell = st.lists(LETTERS | st.sampled_from(ENCODINGS[encoding]), max_size=5).map("".join)
    names = draw(
        st.lists(
            st.sampled_from(["user_id", "plan", "a b", *ENCODINGS[encoding][:1]]), min_size=1, max_size=3, unique=True
        )
    )
    rows = draw(st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), max_size=5))
    return encoding, names, rows


@pytest.mark.slow
@settings(max_examples=400)
@given(tables(), dialects())
def test_a_table_comes_back_as_it_was_written_or_is_refused(
    table: tuple[str, list[str], list[list[str]]], dialect: dict[str, Any]
) -> None:
    """In any dialect and encoding that can be named: no row is another than it was."""
    encoding, names, rows = table
    text = io.StringIO(newline="")
    try:
        csv.writer(text, **dialect).writerows([names, *rows])
    except csv.Error:
        return  # it can't be written in this dialect
    got: list[Any] = []
    fault = ""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.txt"
        path.write_bytes(text.getvalue().encode(encoding))
        source = FileSource(path, "csv", encoding, dialect["delimiter"], dialect["quotechar"], dialect["escapechar"])
        try:
            for chunk in open_source(source, columns=names).chunks():
                got += [row.values if isinstance(row, TextRow) else row for row in chunk.rows]
        except SourceError as error:
            fault = str(error)
    quoted_all = dialect["quoting"] in (csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
    wanted = [row for row in rows if any(row) or quoted_all or len(names) == 1]
    assert got == wanted[: len(got)]
    assert fault or len(got) == len(wanted)
