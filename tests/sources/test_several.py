"""Several sources in one list, and lists of records where records are expected: none of them is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.digest import SourceDigest
from airflow_provider_userdata.delivery.reading.source import Source, TextRow
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import SqlSource, hold, open_source, unhold
from airflow_provider_userdata.sources.shapes import Parts
from tests.doubles import XComLike


def rows_of(source: Source) -> list[Any]:
    """Read all rows."""
    return [row for chunk in source.chunks() for row in chunk.rows]


def rendered(*values: Any) -> Any:
    """Set an operator's source to XComs, and then to what Airflow renders them to."""
    before = hold([XComLike() for _ in values])
    return open_source(hold(list(values), before))


def users(count: int, first: int = 0) -> list[dict[str, str]]:
    """Make records."""
    return [{"user_id": f"u{number}"} for number in range(first, first + count)]


records = st.integers(0, 2300).map(users)
one = st.just({"user_id": "u"})


@pytest.mark.slow
@given(st.lists(records | one, min_size=1, max_size=5))
def test_what_several_tasks_returned_is_chained(values: list[Any]) -> None:
    """Lists of records and single records, in their order, in full chunks; their number is known."""
    wanted = [row for value in values for row in ([value] if isinstance(value, dict) else value)]
    source = rendered(*values)
    chunks = list(source.chunks())
    assert [row for chunk in chunks for row in chunk.rows] == wanted
    assert source.total == len(wanted)
    assert [len(chunk.rows) for chunk in chunks[:-1]] == [1000] * (len(chunks) - 1)


@pytest.mark.slow
@given(st.lists(records, min_size=1, max_size=4))
def test_a_list_of_lists_is_chained_wherever_it_comes_from(values: list[list[Any]]) -> None:
    """A literal, one task's result, mapped tasks' results, a callable's result, or what a callable yields."""
    wanted = [row for value in values for row in value]

    def yielding() -> Iterator[list[Any]]:
        yield from values

    for source in (values, tuple(values), hold(values), lambda: values, yielding, iter(values)):
        assert rows_of(open_source(source)) == wanted


def test_each_may_be_anything(tmp_path: Path) -> None:
    """Records, paths, functions, generators, tables; positions and the digest are those of one source."""
    (tmp_path / "a.jsonl").write_text('{"user_id": "a"}\n')
    (tmp_path / "b.csv").write_text("user_id\nb\n")
    values = [
        users(2),
        str(tmp_path / "a.jsonl"),
        tmp_path / "b.csv",
        lambda: users(1),
        iter(users(1)),
        (),
        users(1)[0],
    ]
    source = rendered(*values)
    assert source.total is None
    digest = SourceDigest()
    rows = []
    for chunk in source.chunks():
        digest.take(chunk.rows, (), chunk.text)
        rows += [row.as_dict() if isinstance(row, TextRow) else row for row in chunk.rows]
    assert rows == [*users(2), b'{"user_id": "a"}\n', {"user_id": "b"}, *users(1), *users(1), *users(1)]
    assert digest.mark.rows == 7


def test_neighbouring_paths_are_read_as_one_list_of_paths(tmp_path: Path) -> None:
    """So that a file which is named twice is read once."""
    path = tmp_path / "a.jsonl"
    path.write_text("{}\n")
    assert rows_of(rendered(str(path), str(path))) == [b"{}\n"]
    assert rows_of(rendered(users(1), str(path), str(path))) == [*users(1), b"{}\n"]
    assert rows_of(rendered([str(path)], [path, str(path)], str(path))) == [b"{}\n"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([users(1), None], "the second of 2: it is None: the upstream task returned nothing"),
        ([users(1), 7, users(1)], "the second of 3: it is of type int, which isn't a list of records"),
        ([b"alice", users(1)], "the first of 2: it is of type bytes, which"),
        ([users(1), "alice"], "the second of 2: 'alice'|the second of 2: text"),
        ([users(1), ["alice", "bob"]], "the second of 2: text 1 of 2 is not a path"),
        ([users(1), [["alice", 1]]], "the second of 2 has a value of type list at position 0, where a record"),
        ([users(1), [*users(3), users(2)]], "the second of 2 has a value of type list at position 3"),
        ([users(1), ["alice", 7]], "the second of 2 is a list without a record in it, and begins with one of type str"),
        ([users(1)] * 11 + [None], "number 12 of 12: it is None"),
        ([users(1), "none.jsonl", users(1)], "the second of 3: 'none.jsonl': there is no such file"),
    ],
)
def test_what_is_at_fault_is_named_before_anything_is_read(values: list[Any], message: str) -> None:
    """By its place in the list; its content isn't quoted."""
    with pytest.raises(SourceError, match=f"^source: ({message})") as caught:
        rendered(*values)
    assert "bob" not in str(caught.value)


def test_what_breaks_while_it_is_read_is_named() -> None:
    """With the position that its first record has; what came before is handed over."""

    def broken() -> Iterator[Any]:
        yield from users(3)
        raise LookupError("alice")

    got: list[Any] = []
    with pytest.raises(SourceBrokeError) as caught:
        got.extend(row for chunk in rendered(users(1500), broken).chunks() for row in chunk.rows)
    assert str(caught.value) == (
        "source: the second of 2, whose first record is at position 1500 of all: "
        "the callable broken raised LookupError at position 3"
    )
    assert isinstance(caught.value.__cause__, LookupError)
    assert got == [*users(1500), *users(3)]


@pytest.mark.parametrize("kind", [list, tuple, iter, lambda rows: lambda: rows, lambda rows: lambda: iter(rows)])
@pytest.mark.parametrize("position", [1, 999, 1000, 2500])
def test_a_list_among_records_is_an_error_of_the_source(kind: Callable[..., Any], position: int) -> None:
    """Not a reject: the records in it would be lost, and counted as one. At most those before it are handed over."""
    rows: list[Any] = [*users(position), users(5), *users(1)]
    got: list[Any] = []
    with pytest.raises(SourceError, match=rf"has a value of type list at position {position}, where a record"):
        got.extend(row for chunk in open_source(kind(rows)).chunks() for row in chunk.rows)
    assert got in ([], users(position))


@pytest.mark.parametrize(
    "row",
    [["alice", 1], ("alice", 1)],
)
def test_rows_of_cells_are_no_records(row: Any) -> None:
    """A cursor gives tuples: each cell would be counted as a record."""
    for source in ([row], lambda: [row], lambda: iter([row])):
        with pytest.raises(SourceError) as caught:
            rows_of(open_source(source))
        assert "a record is a dictionary" in str(caught.value) or "without a record" in str(caught.value)
        assert "alice" not in str(caught.value)


def test_chunks_are_read_no_further_than_asked() -> None:
    """Memory stays bounded however many lists there are, and however long one of them is."""
    taken: list[int] = []
    chunks = open_source([{"n": taken.append(n)}] * 100 for n in range(10**9)).chunks()  # type: ignore[func-returns-value]
    next(chunks)
    assert len(taken) <= 11


def test_rendered_lists_are_held() -> None:
    """Airflow stores and shows what it rendered: of records, only that there are sources."""
    query = SqlSource("SELECT 1", "db")
    before = [XComLike(), query]
    assert hold(before) is before
    assert hold([XComLike(), query], before) is not None
    after = hold([users(1), query], before)  # Airflow 2 renders a query where it is
    assert repr(after) == "<2 sources>"
    assert isinstance(unhold(after), Parts)
    assert not isinstance(unhold(hold([SqlSource("SELECT {{ ds }}", "db")], before)), Parts)
    assert hold(["a.csv", "b.csv"], before) == ["a.csv", "b.csv"]


def test_a_file_that_several_name_is_read_once(tmp_path: Path) -> None:
    """Also where records stand between its names, or mapped tasks returned one of them, or it is a link."""
    path = tmp_path / "a.jsonl"
    path.write_text("a\n")
    (tmp_path / "b.jsonl").write_text("b\n")
    (tmp_path / "link.jsonl").symlink_to(path)
    values = [str(path), users(1), str(tmp_path / "link.jsonl"), users(1), [str(tmp_path / "*.jsonl")]]
    assert rows_of(rendered(*values)) == [b"a\n", *users(1), *users(1), b"b\n"]
    assert rows_of(rendered(users(1), Parts([str(path), users(1)]), str(path))) == [*users(1), b"a\n", *users(1)]
