"""What a table's dialect doesn't allow is a fault of the file; nothing is read as something else."""

from __future__ import annotations

import csv
import io
import pathlib
import re
import tempfile
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.source import TextRow
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import open_source

NAMES = st.lists(
    st.sampled_from(["user_id", "plan", "name, full", 'size 5"', "über", "a|b", "two\nlines"]),
    min_size=1,
    max_size=3,
    unique=True,
)
CELL = st.text(st.sampled_from([*"ab ,;|\t'é", '"', '"', "\n", "\r", "\\", "\\"]), max_size=6)
TABLE = NAMES.flatmap(
    lambda names: st.tuples(
        st.just(names), st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), max_size=5)
    )
)
STYLES = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",,\t\t;| "),
        "quoting": st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]),
        "doublequote": st.booleans(),
        "escapechar": st.sampled_from([None, "\\"]),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r", "\n\n", ";", "\v"]),
    }
)


def read(data: bytes, ending: str, columns: list[str]) -> tuple[list[Any], str]:
    """Read a file; give its rows, those that are no records among them, and what is wrong with it."""
    rows: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"x{ending}"
        path.write_bytes(data)
        try:
            for chunk in open_source(path, columns=columns).chunks():
                rows += [row.values if isinstance(row, TextRow) else row for row in chunk.rows]
        except SourceError as error:
            return rows, str(error)
    return rows, ""


@pytest.mark.slow
@given(TABLE, STYLES, st.sampled_from([".csv", ".tsv"]))
@example(
    table=(["user_id", "plan"], [["u1", 'say "hi"']]),
    style={
        "delimiter": ",",
        "quoting": csv.QUOTE_ALL,
        "doublequote": False,
        "escapechar": "\\",
        "lineterminator": "\n",
    },
    ending=".csv",
)
@example(
    table=(["user_id", "plan"], [["u1", "two\nlines"], ["u2", "x"]]),
    style={
        "delimiter": "\t",
        "quoting": csv.QUOTE_NONE,
        "doublequote": True,
        "escapechar": "\\",
        "lineterminator": "\n",
    },
    ending=".tsv",
)
def test_a_table_in_any_dialect_comes_back_or_is_refused(
    table: tuple[list[str], list[list[str]]], style: dict[str, Any], ending: str
) -> None:
    """Whatever `csv` wrote, no row is another than it was; and the file is read to its end, or at fault."""
    names, rows = table
    text = io.StringIO(newline="")
    try:
        csv.writer(text, **style).writerows([names, *rows])
    except csv.Error:
        return  # it can't be written in this dialect
    got, fault = read(text.getvalue().encode(), ending, names)

    quoted_all = style["quoting"] in (csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
    wanted = [row for row in rows if any(row) or quoted_all or len(names) == 1]  # an empty row is nobody's
    assert all(isinstance(row, list) for row in got) or len(names) == 1
    assert [row if isinstance(row, list) else wanted[place] for place, row in enumerate(got)] == wanted[: len(got)]
    assert fault or len(got) == len(wanted)
    if (
        len(names) > 1
        and style == {"lineterminator": style["lineterminator"], **STANDARD[ending]}
        and style["lineterminator"] == "\r\n"
    ):
        assert not fault or "\\" in text.getvalue() or (ending == ".tsv" and '"' in text.getvalue())


STANDARD: dict[str, dict[str, Any]] = {
    ending: {"delimiter": delimiter, "quoting": csv.QUOTE_MINIMAL, "doublequote": True, "escapechar": None}
    for ending, delimiter in ((".csv", ","), (".tsv", "\t"))
}


@given(st.lists(st.lists(st.text(st.sampled_from("ab\"' ,;\\é"), max_size=6), min_size=2, max_size=2), max_size=5))
def test_a_table_that_knows_no_quotes_comes_back_or_is_refused(rows: list[list[str]]) -> None:
    """Where cells are only cut at tabs, a quote is text: it is kept, or it can't be told, and the file is at fault."""
    assume(not any(cell.startswith('"') and '""' in cell[1:] for row in rows for cell in row))
    text = "".join(f"{first}\t{second}\n" for first, second in [["user_id", "plan"], *rows])
    got, fault = read(text.encode(), ".tsv", ["user_id"])
    assert got == [row for row in rows if any(row)][: len(got)]
    assert fault or len(got) == len([row for row in rows if any(row)])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('u0,x\nu1,"say \\"hi\\""\n', "line 3 has text after the quote that closes a cell: is it escaped with a back"),
        ('u0,x\nu1,"hi\\""\nu2,y\n', "the quote that opens on line 3 is never closed: is it escaped with a backslash"),
        ('u0,x\nu1,say \\"hi\\"\n', "line 3 has a quote inside a cell that isn't quoted: is it escaped with a backsl"),
        (
            'u0,x\nu1,5" pipe\n',
            "line 3 has a quote inside a cell that isn't quoted; .*\\(path, quote=None\\)$",
        ),
        (
            'u0,x\nu1,5"\n',
            "line 3 has a quote inside a cell that isn't quoted; .*\\(path, quote=None\\)$",
        ),
        (
            'u0,x\nu1, "x"\n',
            "line 3 has a quote inside a cell that isn't quoted; .*\\(path, quote=None\\)$",
        ),
        ('u0,x\nu1,"Big\nu2,fine\nu3,Mike" x\n', "line 5 has text after the quote .* opens on line 3$"),
        ('u0,x\nu1,"Big"x\n', "line 3 has text after the quote that closes a cell$"),
        ('u0,x\nu1,"Big\nu2,fine\n', "the quote that opens on line 3 is never closed; if all quotes in it are text"),
        ("u0,x\nu1,a\\\nb\nu2,y\n", "line 3 has a backslash that may be an escape, or text"),
        ("u0,x\nu1,a\\,b\n", "line 3 has a backslash that may be an escape"),
        ("u0,x\nu1,a\\\\b\n", "line 3 has a backslash that may be an escape"),
        ("u0,x\nu1,\\N\n", "line 3 has a backslash that may be an escape"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_csv_does_not_allow_is_a_fault_of_the_file(text: str, fault: str, end: str) -> None:
    """The rows before are read, the message has the line, and a hint where a backslash escapes."""
    rows, message = read(f"user_id,plan\n{text}".replace("\n", end).encode(), ".csv", ["user_id"])
    assert rows == [["u0", "x"]]
    assert re.search(fault, message)
    said = message.rpartition(".csv'")[2]  # a temporary folder's name may hold any word
    assert not any(word in said for word in ("say", "pipe", "Mike"))


@pytest.mark.parametrize(
    "cell", ['"Big', '"Big\nu2\tfine\nu3\tMike" x', '"Big\nu2\tfine\nu3\tMike"', '"Big"', '"Big" x', '"Big, too"', '""']
)
def test_a_quote_that_may_be_text_is_a_fault_of_a_table_with_tabs(cell: str) -> None:
    """Read as Excel does, it would swallow other people's rows, or be lost."""
    rows, fault = read(f"user_id\tplan\nu0\tx\nu1\t{cell}\nu9\ty\n".encode(), ".tsv", ["user_id"])
    assert rows == [["u0", "x"]]
    assert "line 3 has a cell that begins with a quote" in fault
    assert "Big" not in fault


def test_rows_are_not_glued_together_in_a_long_table_with_tabs() -> None:
    """Two quotes that are text, far apart, were one cell with hundreds of rows in it."""
    lines = [f"u{number}\tplan" for number in range(500)]
    text = "\n".join(["user_id\tplan", 'a\t"Big', *lines, 'b\tMike"', ""])
    rows, fault = read(text.encode(), ".tsv", ["user_id"])
    assert rows == []
    assert "line 2 has a cell that begins with a quote" in fault


@pytest.mark.parametrize("cell", ['5" pipe', '5"', 'Mike "the" Big', 'a"b"c""', "'a'", 'C:\\a "b"'])
def test_a_quote_within_a_cell_of_a_table_with_tabs_is_text(cell: str) -> None:
    """Tables that know no quoting are full of them."""
    assert read(f"user_id\tplan\nu1\t{cell}\nu2\tx\n".encode(), ".tsv", []) == ([["u1", cell], ["u2", "x"]], "")


@pytest.mark.parametrize("cell", ['5" pipe', "a\tb", "two\nlines", '"all"', 'tab\tand "quote"'])
def test_a_cell_that_needs_its_quotes_is_read_in_a_table_with_tabs(cell: str) -> None:
    """So pandas, Excel and the `csv` module write what has a tab, a quote or a line's end in it."""
    text = io.StringIO(newline="")
    csv.writer(text, "excel-tab").writerows([["user_id", "plan"], ["u1", cell], ["u2", "x"]])
    assert read(text.getvalue().encode(), ".tsv", []) == ([["u1", cell], ["u2", "x"]], "")


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_a_table_with_a_quoted_header_is_quoted_throughout(ending: str) -> None:
    """Then nothing is in doubt, not even rows within a cell."""
    text = io.StringIO(newline="")
    rows = [["u1", "Big\nu2\tfine"], ["u2", "Big"], ["", ""]]
    csv.writer(text, "excel-tab" if ending == ".tsv" else "excel", quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    assert read(text.getvalue().encode(), ending, []) == (rows, "")


@pytest.mark.parametrize("first", ["C:\\temp", "¯\\_(ツ)_/¯", "{'say': \\n}"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_backslashes_are_text_where_the_first_escapes_nothing(first: str, quote: str) -> None:
    """Nobody who escapes with backslashes would have written it."""
    text = f"user_id,plan\nu1,{quote}{first}{quote}\nu2,\\\\server\\\nu3,x\n"
    assert read(text.encode(), ".csv", []) == ([["u1", first], ["u2", "\\\\server\\"], ["u3", "x"]], "")


def test_json_in_a_cell_keeps_its_backslashes() -> None:
    """A doubled quote behind a backslash, with more text, is no end of an escaped cell."""
    text = 'user_id,plan\nu1,"{""say"": ""a \\""b\\"" c""}"\n'
    assert read(text.encode(), ".csv", []) == ([["u1", '{"say": "a \\"b\\" c"}']], "")


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_without_any_cell_are_no_records(ending: str, quote: str) -> None:
    """Spreadsheets leave lines of nothing but delimiters, in whatever number: below, between and above the rows."""
    text = f",,\nuser_id,plan\n,\nu1,{quote}x{quote}\n\n,,,,\nu2,\n,z\n,\n,"
    data = text.replace(",", "\t" if ending == ".tsv" else ",").encode()
    if ending == ".tsv" and quote:
        data = data.replace(b"user_id", b'"user_id"')
    assert read(data, ending, ["user_id"]) == ([["u1", "x"], ["u2", ""], ["", "z"]], "")
