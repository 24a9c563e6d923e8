"""Files that their names don't describe, read as they are by a `FileSource`."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pathlib
import tempfile
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading import TextRow, Unreadable
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import FileSource, open_source, read
from airflow_provider_userdata.sources.delimited import Table
from airflow_provider_userdata.sources.file_limits import BadFileError
from airflow_provider_userdata.sources.headers import Wanted
from airflow_provider_userdata.sources.jsonfile import read_json
from airflow_provider_userdata.sources.jsonlines import read_lines
from airflow_provider_userdata.sources.table_grammar import Dialect
from airflow_provider_userdata.sources.text_stream import TextStream

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


@given(st.data(), st.integers(0, 3), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_text_of_any_encoding_is_read_as_utf_8(data: st.DataObject, skip: int, sizes: list[int]) -> None:
    """However much is read at a time, twice if it is asked for, and without its first lines."""
    encoding = data.draw(st.sampled_from([*ENCODINGS, "utf-16-be", "utf-32", "iso2022_jp"]))
    some = ENCODINGS.get(encoding, "日本")
    lines = data.draw(st.lists(st.text(st.sampled_from(["a", ",", *some]), max_size=4), min_size=skip, max_size=6))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = "".join(line + end for line in lines)
    stream = TextStream(io.BytesIO(text.encode(encoding)), encoding, skip)
    for _ in range(2):
        got = [stream.read(size) for size in sizes]
        while more := stream.read(sizes[0]):
            got.append(more)
        stream.seek(0)
        assert b"".join(got).decode() == "".join(line + end for line in lines[skip:])
        assert all(len(part) <= size for part, size in zip(got, sizes, strict=False))


@pytest.mark.slow
@settings(max_examples=400)
@given(tables(), dialects())
def test_a_table_comes_back_as_it_was_written_or_is_refused(
    table: tuple[str, list[str], list[list[str]]], dialect: dict[str, Any]
) -> None:
    """In any dialect and encoding that can be named: no row is another than it was."""
    encoding, names, rows = table
    if dialect["lineterminator"] == "\r" and any("\n" in cell for row in rows for cell in row):
        return  # CR that ends a line and LF that begins a cell look like CR LF until a later line ends differently
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


def placed(chunks: Any) -> list[tuple[int, Any]]:
    """Give each row with its line."""
    return [
        (line, row.values if isinstance(row, TextRow) else row)
        for chunk in chunks
        for line, row in zip(chunk.lines, chunk.rows, strict=True)
    ]


@given(
    st.lists(
        st.sampled_from(["", "a,b", "1,2", ",", " ", "1", '"",""', '"x\ny",2', '"\r\n\n",2', "x,y,z"]), max_size=12
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(0, 2),
    st.integers(1, 40),
)
def test_a_row_of_a_table_is_found_on_its_line(lines: list[str], end: str, skip: int, block: int) -> None:
    """Blank lines, the header, those that are skipped and those within cells are lines, too."""
    lines = [line.replace("\n", end) if end == "\r" else line for line in lines]
    number, wanted = 1, []
    for line in ["# skipped", *["" for _ in range(skip)], "a,b", *lines]:
        wanted.append((number, line))
        number += 1 + len(line.splitlines()[1:]) + (1 if line.endswith(("\n", "\r")) else 0)
    text = "".join(line + end for _, line in wanted).encode()
    table = Table(Dialect(), skip + 2)
    stream: Any = TextStream(io.BytesIO(text), "utf-8", skip + 1)
    got = placed(table.read(stream, Wanted(), block=block))
    starts = dict(wanted)
    assert len(got) == sum(1 for _, line in wanted[skip + 2 :] if line.strip(" ") not in ("", ","))
    for place, row in got:
        cells = row.raw if isinstance(row, Unreadable) else row
        assert [cells] == list(csv.reader(io.StringIO(starts[place], newline="")))


@given(st.lists(st.sampled_from([b'{"a": 1}', b"", b" ", b"x"]), max_size=12), st.integers(1, 30), st.integers(1, 5))
def test_a_json_line_is_found_on_its_line(lines: list[bytes], block: int, first: int) -> None:
    """Blank ones are lines, too."""
    chunks = read_lines(io.BytesIO(b"\n".join(lines)), block=block, line=first)
    assert [(line, row.strip()) for line, row in placed(chunks)] == [
        (number, line) for number, line in enumerate(lines, start=first) if line.strip()
    ]


def test_a_chunk_says_which_file_it_is_from(tmp_path: pathlib.Path) -> None:
    """Of an array, elements are numbered; parts of a chunk keep it all."""
    (tmp_path / "1.json").write_text(json.dumps(USERS))
    (tmp_path / "2.jsonl").write_text('# x\n\n{"a": 1}\n\n{"a": 2}\n{"a": 3}\n')
    (tmp_path / "3.csv").write_text("Report\na,b\n1,2\n\n3,4\n")
    (tmp_path / "4.json").write_text("{}")
    files = [tmp_path / "1.json", FileSource(tmp_path / "[23]*", skip_lines=1), tmp_path / "4.json"]
    chunks = [part for chunk in open_source(files).chunks() for part in chunk.parts(lambda: 2)]
    assert [(pathlib.Path(chunk.file or "").name, list(chunk.lines or [])) for chunk in chunks] == [
        ("1.json", [1, 2]),
        ("2.jsonl", [3, 5]),
        ("2.jsonl", [6]),
        ("3.csv", [3, 5]),
        ("4.json", [1]),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "xlsx"}, "format must be one of csv, "),
        ({"format": ".csv"}, "format must be one of csv, "),
        ({"encoding": "nonsense"}, "encoding must be a text encoding that Python knows"),
        ({"encoding": "base64"}, "encoding must be a text encoding"),
        ({"encoding": None}, "encoding must be a text encoding"),
        ({"delimiter": ";;"}, "delimiter must be one ASCII character"),
        ({"delimiter": ""}, "delimiter must be one ASCII character"),
        ({"delimiter": "¦"}, "delimiter must be one ASCII character"),
        ({"quote": "\n"}, "quote must be one ASCII character"),
        ({"escape": 1}, "escape must be one ASCII character"),
        ({"escape": '"'}, "delimiter, quote and escape must be different characters"),
        ({"quote": ","}, "delimiter, quote and escape must be different characters"),
        ({"skip_lines": -1}, "skip_lines must be a number of lines"),
        ({"skip_lines": True}, "skip_lines must be a number of lines"),
        ({"records": "a..b"}, "records must be names with dots"),
        ({"records": "data"}, "records is an option for json, and the format is csv"),
        ({"format": "json", "delimiter": ";"}, "delimiter is an option for csv, tsv, and the format is json"),
        ({"format": "jsonl", "quote": None}, "quote is an option for csv, tsv, and the format is jsonl"),
    ],
)
def test_options_that_cannot_work_are_refused(tmp_path: pathlib.Path, options: dict[str, Any], message: str) -> None:
    """Before anything is read."""
    (tmp_path / "x.csv").write_text("a,b\n")
    assert f"source: FileSource: {message}" in refusal(FileSource(tmp_path / "x.csv", **options))


@pytest.mark.parametrize("path", [None, 1, [{"a": 1}], {"a": 1}])
def test_a_path_is_a_path(path: object) -> None:
    """What an earlier task returned may be anything."""
    assert "FileSource: path must be a path, or a list of paths" in refusal(FileSource(path))


def test_two_lists_of_one_file_are_read_both(tmp_path: pathlib.Path) -> None:
    """Each file is read once, but not if something else of it is asked for."""
    (tmp_path / "x.json").write_text(json.dumps({"new": USERS[:1], "old": USERS[1:]}))
    new, old = (FileSource(tmp_path / "x.json", records=name) for name in ("new", "old"))
    assert rows_of([new, old, new]) == USERS
    assert rows_of(FileSource([])) == []


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@given(st.lists(JSON, max_size=6), st.lists(st.tuples(st.text(max_size=2), JSON), max_size=4), st.data())
def test_the_list_in_an_envelope_is_cut_out(
    values: list[Any], others: list[tuple[str, Any]], data: st.DataObject
) -> None:
    """Wherever it stands, whatever stands beside it; and a file that ends before its end is at fault."""
    depth = data.draw(st.integers(1, 3))
    inner: Any = values
    for _ in range(depth):
        at = data.draw(st.integers(0, len(others)))
        inner = dict([*others[:at], ("dàta", inner), *others[at:]])
    text = json.dumps(
        inner, indent=data.draw(st.sampled_from([None, 1])), ensure_ascii=data.draw(st.booleans())
    ).encode()
    records, block = ".".join(["dàta"] * depth), data.draw(st.integers(1, 300))
    chunks = read_json(io.BytesIO(text), records=records, block=block)
    assert [json.loads(row) for _, row in placed(chunks)] == values

    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    with pytest.raises(BadFileError, match=r"its object (is incomplete|isn't valid JSON)"):
        list(read_json(io.BytesIO(cut), records=records, block=block))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"items": [{}]}', "it has nothing under the name 'data', where its records should be"),
        ("{}", "it has nothing under the name 'data'"),
        ('{"data": {"a": []}}', "what it has under the name 'data' isn't an array: its records aren't there"),
        ('{"data": null}', "what it has under the name 'data' isn't an array"),
        ("[{}]", "it contains an array, not an object with one in it: leave out `records`"),
        ('{"data": [{}], "data": []}', "it has the name 'data' twice"),
        ('{"data": [{}]} x', "there is more text after its object"),
        ('{"data": [{}], "next": x}', "its object isn't valid JSON"),
        ('{"data": [{}], "next"}', "its object isn't valid JSON"),
        ('{"data": [{}]', "its object is incomplete"),
        ('{"data": ', "its object is incomplete"),
        ('{"meta": [1, {"x": }], "data": [{}]}', "its object isn't valid JSON"),
        ('{"data": [{"data": [{"a": 1}, {"a": 2}]}]}', "it contains an object around an array of 2 records"),
    ],
)
def test_an_envelope_that_is_another_is_a_fault_of_the_file(tmp_path: pathlib.Path, text: str, message: str) -> None:
    """Nothing is read in place of what was named."""
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(SourceError) as caught:
        rows_of(FileSource(tmp_path / "x.json", records="data"))
    assert message in str(caught.value)


def test_an_envelope_is_read_with_bounded_memory(tmp_path: pathlib.Path) -> None:
    """The list may be long, and what stands before it."""
    record = json.dumps({"user_id": "u" * 80, "plan": "pro"})
    array = "[" + ",".join([record] * 200_000) + "]"
    (tmp_path / "x.json").write_text(f'{{"old": {array}, "data": {array}}}')
    del array
    tracemalloc.start()
    source = open_source(FileSource(tmp_path / "x.json", records="data"))
    count = sum(len(chunk.rows) for chunk in source.chunks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 8 * 2**20  # of 44 MB


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.csv", b"a;b\n1;2\n", "are its cells separated by ';'? Then read it with FileSource(path, delimiter=';')"),
        (
            "x.csv",
            "a,b\n日本,1\n東京,2\n".encode("cp932"),
            "its lines aren't UTF-8; save it in UTF-8, or name its encoding",
        ),
        ("x.jsonl", '{"a": "日本"}\n{"a": "東京"}\n'.encode("cp932"), "its lines aren't UTF-8"),
        ("x.csv", "プラン,b\n".encode("cp932"), "its header isn't UTF-8; name its encoding"),
        ("x.dat", b"a,b\n", "with .gz; name its format, as in FileSource(path, format='csv')"),
        ("x.json", json.dumps({"data": USERS}).encode(), "or read it with FileSource(path, records='data')"),
        ("x.json", json.dumps({"result": {"items": USERS}}).encode(), "FileSource(path, records='result.items')"),
        ("x.json", json.dumps({"alice": USERS}).encode(), "FileSource(path, records=the array's name)"),
        ("x.json", b'{"a": 1}\n{"a": 2}\n', "FileSource(path, format='jsonl')"),
        ("x.jsonl", json.dumps(USERS).encode(), "FileSource(path, format='json')"),
        ("x.csv", json.dumps(USERS).encode(), "FileSource(path, format='json')"),
    ],
)
def test_a_message_says_how_the_file_is_read_as_it_is(
    tmp_path: pathlib.Path, name: str, data: bytes, message: str
) -> None:
    """The author needs no other tool."""
    (tmp_path / name).write_bytes(data)
    assert message in refusal(tmp_path / name)


def test_a_line_that_is_not_utf_8_is_a_reject_of_its_own(tmp_path: pathlib.Path) -> None:
    """One of them, or some among others that are: the encoding is right then."""
    (tmp_path / "1.csv").write_bytes(b"a,b\n1,2\n\xff,4\n5,6\n")
    (tmp_path / "2.csv").write_bytes("a,b\né,2\n".encode() + b"\xff,4\n\xff,6\n")
    assert [row["a"] for row in rows_of(tmp_path / "*.csv")] == ["1", "\udcff", "5", "é", "\udcff", "\udcff"]


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        ("a,b\n".encode("utf-16"), "cp932", "it looks like text in UTF-16"),
        ("a,b\n".encode("utf-16-be"), "utf-16", "FileSource(path, encoding='utf-16-be')"),
        ("日本\n".encode("utf-16-be"), "utf-16", "either 'utf-16-le' or 'utf-16-be'"),
        (b"a,b\n1,2\n\x81,4\n", "cp932", "line 3 has bytes that are not cp932"),
        ("a,b\n1,2\n".encode("utf-16") + b"x", "utf-16", "line 3 has bytes that are not utf-16"),
        (b"a,b\n1,2\n\xc3\xa9,4\n", "ascii", "line 3 has bytes that are not ascii"),
    ],
)
def test_a_wrong_encoding_is_refused_before_anything_is_read(
    tmp_path: pathlib.Path, data: bytes, encoding: str, message: str
) -> None:
    """If the file's beginning shows it."""
    (tmp_path / "x.csv").write_bytes(data)
    assert message in refusal(FileSource(tmp_path / "x.csv", encoding=encoding))


def test_what_comes_before_a_wrong_byte_is_read(tmp_path: pathlib.Path) -> None:
    """It is at fault far behind the file's beginning, and the message says where."""
    (tmp_path / "x.csv").write_bytes(b"a,b\n" + b"1,2\n" * 100_000 + b"\x81,4\n")
    rows: list[Any] = []
    with pytest.raises(SourceError, match="line 100002 has bytes that are not cp932"):
        rows.extend(read(FileSource(tmp_path / "x.csv", encoding="cp932")))
    assert len(rows) == 100_000


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize(
    ("encoding", "bad"), [("cp932", b"\x81,"), ("utf-16-be", b"\xd8\x00\x00a"), ("iso2022_jp", b"\xff")]
)
def test_text_before_a_wrong_byte_is_whole(encoding: str, bad: bytes, size: int) -> None:
    """Wherever reads end: no character twice, none lost."""
    stream = TextStream(io.BytesIO("日本,a\n日".encode(encoding) + bad), encoding)
    got: list[bytes] = []
    with pytest.raises(BadFileError, match="line 2 has bytes"):
        got.extend(iter(lambda: stream.read(size), b""))
    assert b"".join(got).decode() == "日本,a\n日"


@pytest.mark.parametrize("size", range(1, 9))
def test_a_line_is_counted_once_whose_end_falls_apart(size: int) -> None:
    """CR LF is one line end, also where a block ends between the two."""
    stream = TextStream(io.BytesIO(b"a\r\nb\r\nc\r\n\x81\xff"), "cp932")

    with pytest.raises(BadFileError, match="line 4 "):
        list(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("encoding", ["latin-1", "cp932"])
def test_a_mark_of_utf_8_is_no_text_of_another_encoding(tmp_path: pathlib.Path, encoding: str) -> None:
    """It would become a part of the first column's name, and every other character another one."""
    path = tmp_path / "x.csv"
    path.write_text("user_id,name\nu,あ\n", encoding="utf-8-sig")

    with pytest.raises(SourceError, match="byte order mark of UTF-8; leave `encoding` out"):
        open_source(FileSource(str(path), encoding=encoding))
