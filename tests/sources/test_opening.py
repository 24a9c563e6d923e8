"""What `source` may be, and what it may not."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import Source
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import hold, open_source


class LazyResults(Sequence[Any]):
    """What Airflow gives for mapped tasks: to look at an item costs a call, a slice costs one for all."""

    __module__ = "airflow.sdk.execution_time.lazy_sequence"

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.calls = 0

    def __len__(self) -> int:
        self.calls += 1
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        self.calls += 1
        return self.items[index]


class MapResult(LazyResults):
    """What Airflow gives for `.map(function)`: it hands a slice to the function as if it were an item."""

    __module__ = "airflow.sdk.definitions.xcom_arg"

    def __getitem__(self, index: Any) -> Any:
        assert isinstance(index, int)
        return super().__getitem__(index)


MapResult.__name__ = "_MapResult"


def rows_of(source: Source) -> list[Any]:
    """Read all rows."""
    return [row for chunk in source.chunks() for row in chunk.rows]


def test_results_of_mapped_tasks_are_fetched_by_one_call() -> None:
    """Walking them would ask Airflow once for each task."""
    results = LazyResults([{"n": n} for n in range(60)])
    source = open_source(hold(results))
    assert source.total == 60
    assert rows_of(source) == results.items
    assert results.calls == 1


def test_lists_that_mapped_tasks_returned_are_joined() -> None:
    """Each mapped task may return one record or a list of them."""
    source = open_source(LazyResults([[{"n": 1}, {"n": 2}], [], {"n": 3}]))
    assert rows_of(source) == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_paths_that_mapped_tasks_returned_are_read(tmp_path: Any) -> None:
    """A mapped task that writes files hands over their names."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.jsonl").write_text(f"{name}\n")
    source = open_source(LazyResults([str(tmp_path / "b.jsonl"), str(tmp_path / "a.jsonl")]))
    assert rows_of(source) == [b"b\n", b"a\n"]


def test_mapped_tasks_may_return_anything(tmp_path: Any) -> None:
    """One a path, another records: each is read as what it is."""
    (tmp_path / "a.jsonl").write_text("a\n")
    results = LazyResults([{"n": 1}, str(tmp_path / "a.jsonl"), [{"n": 2}], LazyResults([{"n": 3}])])
    assert rows_of(open_source(results)) == [{"n": 1}, b"a\n", {"n": 2}, {"n": 3}]
    with pytest.raises(SourceError, match="the second of 2: it is of type int"):
        open_source(LazyResults([{"n": 1}, 7]))


def test_results_behind_a_map_are_fetched_one_by_one() -> None:
    """Airflow's `.map()` doesn't take slices."""
    assert rows_of(open_source(MapResult([[{"n": 1}], [{"n": 2}, {"n": 3}]]))) == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_results_that_cannot_be_fetched_break_the_source() -> None:
    """A retry may find Airflow's API again."""

    class LazyBroken(LazyResults):
        __module__ = "airflow.sdk"

        def __getitem__(self, index: Any) -> Any:
            raise RuntimeError("alice")

    with pytest.raises(SourceBrokeError, match=r"mapped tasks' results can't be fetched: RuntimeError$"):
        open_source(LazyBroken([1]))


@pytest.mark.parametrize("items", [deque([1, 2]), range(1, 3), {1: "a", 2: "b"}.keys()])
def test_other_collections_are_iterated(items: Any) -> None:
    """Whatever can be iterated may hold records."""
    assert rows_of(open_source(items)) == [1, 2]


def test_text_among_records_is_no_path() -> None:
    """Only a list of nothing but paths is a list of paths."""
    assert rows_of(open_source(["alice", {"a": 1}])) == ["alice", {"a": 1}]


class DataFrame:
    """Stands for the one of pandas: iterating it gives column names."""

    def __iter__(self) -> Any:
        return iter(["alice"])


async def stream() -> AsyncIterator[int]:
    """Yield asynchronously."""
    yield 1


@pytest.mark.parametrize("held", [hold, lambda value: value])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "it is None: the upstream task returned nothing"),
        ({"name": "alice"}, "it is of type dict, which isn't a list of records; put a single record into a list"),
        (b"alice", "it is of type bytes, which"),
        (7, "it is of type int, which"),
        (1.5, "it is of type float, which"),
        (True, "it is of type bool, which"),
        (object(), "it is of type object, which"),
        (DataFrame(), "the DataFrame has no Arrow stream, .*; pass its rows as dictionaries"),
        (stream(), "it is of type async_generator; asynchronous sources aren't read"),
    ],
)
def test_what_holds_no_records_is_refused_by_its_type(held: Callable[[Any], Any], value: object, message: str) -> None:
    """The message names the argument and the type, never the value."""
    with pytest.raises(SourceError, match=f"^source: {message}") as caught:
        open_source(held(value))
    assert "alice" not in str(caught.value)


def test_nothing_here_imports_airflow() -> None:
    """Airflow takes seconds to import; a path on this machine doesn't need it."""
    code = (
        "import sys, airflow_provider_userdata.sources as s\n"
        "try: s.open_source('none.jsonl')\n"
        "except Exception: pass\n"
        "sys.exit('airflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
