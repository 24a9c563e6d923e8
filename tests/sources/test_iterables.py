"""Lists, iterables and generators as sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.reading.source import RowFormat, Source
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import hold, open_source


def rows_of(source: Source) -> list[Any]:
    """Read all rows."""
    return [row for chunk in source.chunks() for row in chunk.rows]


@given(st.integers(0, 3500), st.sampled_from([list, tuple, iter, lambda rows: (row for row in rows)]))
def test_every_item_comes_once_and_in_order(count: int, kind: Any) -> None:
    """Whatever holds the records, all of them are read, in chunks of at most a thousand."""
    rows = list(range(count))
    source = open_source(kind(rows))
    chunks = list(source.chunks())
    assert [row for chunk in chunks for row in chunk.rows] == rows
    assert all(chunk.form is RowFormat.OBJECTS and 0 < len(chunk.rows) <= 1000 for chunk in chunks)


def test_the_total_is_known_for_lists_only() -> None:
    """A list says how long it is; a generator can't."""
    assert open_source([{}, {}]).total == 2
    assert open_source([]).total == 0
    assert open_source(iter([{}])).total is None


def test_an_item_may_be_of_any_type() -> None:
    """Wrong types are for the checker to reject, so that they are counted and reported; but lists aren't one record."""
    rows: list[Any] = [{"a": 1}, None, "text", 3, b"bytes"]
    assert rows_of(open_source(rows)) == rows


@given(st.integers(0, 2500))
def test_what_came_before_a_break_is_handed_over(count: int) -> None:
    """An iterable that raises in the middle breaks the source at a position, after its records."""

    def records() -> Iterator[int]:
        yield from range(count)
        raise LookupError("alice@example.com")

    got: list[int] = []
    with pytest.raises(SourceBrokeError, match=rf"generator raised LookupError at position {count}$") as caught:
        got.extend(row for chunk in open_source(records()).chunks() for row in chunk.rows)
    assert got == list(range(count))
    assert "alice" not in str(caught.value)
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_generator_is_closed_when_reading_ends_early() -> None:
    """What a generator holds open is let go where nobody reads on."""
    closed: list[bool] = []

    def records() -> Iterator[int]:
        try:
            yield from range(5000)
        finally:
            closed.append(True)

    chunks = open_source(records()).chunks()
    next(chunks)
    assert not closed
    chunks.close()  # type: ignore[attr-defined]
    assert closed


def test_any_iterator_that_can_be_closed_is_closed() -> None:
    """Readers of other libraries close their files that way, and may be referred to elsewhere."""

    class Reader:
        closed = False

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            return 1

        def close(self) -> None:
            self.closed = True
            raise OSError("whatever")

    reader = Reader()
    chunks = open_source(reader).chunks()
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert reader.closed


def test_an_iterator_that_fails_is_closed_at_once() -> None:
    """Not only when nobody refers to the error any more."""

    class Reader:
        closed = False
        left = 2

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            self.left -= 1
            if not self.left:
                raise OSError
            return 1

        def close(self) -> None:
            self.closed = True

    reader = Reader()
    with pytest.raises(SourceBrokeError) as caught:
        list(open_source(reader).chunks())
    assert reader.closed
    assert isinstance(caught.value.__cause__, OSError)


def test_a_generator_is_read_no_further_than_asked() -> None:
    """Only a chunk at a time is taken, so that memory stays bounded."""
    taken: list[int] = []
    chunks = open_source(taken.append(n) or n for n in range(10**9)).chunks()  # type: ignore[func-returns-value]
    next(chunks)
    assert len(taken) == 1000


def test_an_iterable_that_fails_at_once_breaks_at_position_0() -> None:
    """A failure of `iter` itself is told like any other."""

    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise OSError

    with pytest.raises(SourceBrokeError, match="the Broken raised OSError at position 0"):
        list(open_source(Broken()).chunks())


class TestACallable:
    """A function as a source."""

    def test_is_called_when_the_records_are_read(self) -> None:
        """Opening calls nothing; reading calls once."""
        calls: list[int] = []

        def extract() -> list[dict[str, int]]:
            calls.append(1)
            return [{"a": 1}]

        source = open_source(hold(extract))
        assert not calls
        assert source.total is None
        assert rows_of(source) == [{"a": 1}]
        assert len(calls) == 1

    def test_may_yield(self) -> None:
        """A generator function streams."""

        def extract() -> Iterator[int]:
            yield from range(2500)

        assert rows_of(open_source(extract)) == list(range(2500))

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            (None, "the callable extract returned nothing"),
            (
                {"userLabel": "alice"},
                "what the callable extract returned is of type dict, which isn't a list of records",
            ),
            ("alice", "what the callable extract returned is of type str, which"),
            (7, "what the callable extract returned is of type int, which"),
        ],
    )
    def test_must_return_records(self, result: object, message: str) -> None:
        """A result that isn't a list of records is refused by its type, not quoted."""

        def extract() -> object:
            return result

        with pytest.raises(SourceError, match=message) as caught:
            rows_of(open_source(extract))
        assert "alice" not in str(caught.value)

    def test_that_raises_breaks_the_source(self) -> None:
        """The author's exception is the cause; its message stays out of ours."""

        def extract() -> object:
            raise ValueError("alice")

        with pytest.raises(SourceBrokeError, match=r"the callable extract raised ValueError$") as caught:
            rows_of(open_source(extract))
        assert isinstance(caught.value.__cause__, ValueError)

    def test_may_raise_this_packages_errors(self) -> None:
        """An author who says that no retry helps is not overruled."""

        def extract() -> Iterator[object]:
            yield 1
            raise SourceError("source: nothing new")

        with pytest.raises(SourceError, match="nothing new"):
            rows_of(open_source(extract))
