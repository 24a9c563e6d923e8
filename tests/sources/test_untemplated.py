"""The holder that keeps records from Airflow's renderer and serializer."""

from __future__ import annotations

import copy
import functools
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from airflow_provider_userdata.sources import SqlSource, hold, unhold
from airflow_provider_userdata.sources.untemplated import Records
from tests.doubles import XComLike


class MappedResults(Sequence[Any]):
    """Stands for Airflow's lazy sequence: any look inside is a call."""

    __module__ = "airflow.sdk.execution_time.lazy_sequence"

    def __len__(self) -> int:
        raise AssertionError("fetched")

    def __getitem__(self, index: Any) -> Any:
        raise AssertionError("fetched")


def extract_steps() -> Iterator[int]:
    """Yield something."""
    yield 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([{"name": "alice"}] * 1234, "<1234 records>"),
        (({"name": "alice"},), "<1 record>"),
        ([], "<0 records>"),
        (["alice", {}], "<2 records>"),
        (extract_steps, "<callable extract_steps>"),
        (functools.partial(extract_steps), "<callable extract_steps>"),
        (extract_steps(), "<records of a generator>"),
        ({"name": "alice"}, "<records of a dict>"),
        (b"alice", "<records of a bytes>"),
        (MappedResults(), "<records of mapped tasks>"),
    ],
)
def test_what_holds_records_is_wrapped_and_shown_without_them(value: object, shown: str) -> None:
    """The holder's text is what Airflow stores and shows."""
    held = hold(value)
    assert isinstance(held, Records)
    assert repr(held) == str(held) == shown
    assert unhold(held) is value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "data/{{ ds }}/*.jsonl",
        ["a.csv", "b.csv"],
        XComLike(),
        [XComLike(), XComLike()],
        ["a.csv", XComLike()],
        SqlSource("SELECT 1", "db"),
    ],
)
def test_what_airflow_renders_is_left_alone(value: object) -> None:
    """Paths, references and queries are templates."""
    assert hold(value) is value
    assert unhold(value) is value


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (pathlib.Path("{{ ds }}.csv"), "{{ ds }}.csv"),
        (["a.csv", pathlib.Path("b.csv")], ["a.csv", "b.csv"]),
        ((pathlib.Path("a.csv"),), ["a.csv"]),
    ],
)
def test_paths_of_this_machine_become_text(value: object, held: object) -> None:
    """Airflow renders text; a `pathlib.Path` it leaves alone, or fails at it."""
    assert hold(value) == held


def test_holding_twice_is_holding_once() -> None:
    """Airflow sets a field again with what it rendered."""
    held = hold([{}])
    assert hold(held) is held


def test_the_holder_offers_airflow_nothing_to_call_or_walk() -> None:
    """These names are what the renderer and the serializer look for."""
    for name in ("resolve", "serialize", "__call__", "__iter__", "template_fields", "__dict__", "__len__"):
        assert not hasattr(Records([]), name)


def test_copies_share_the_records() -> None:
    """Airflow copies operators; the records stay one."""
    held = hold([{"a": 1}])
    assert unhold(copy.copy(held)) is unhold(held)
    assert copy.deepcopy({"source": held})["source"] is held


def test_a_record_that_answers_to_any_name_is_no_template() -> None:
    """Only what a class declares counts."""

    class Row:
        def __getattr__(self, name: str) -> str:
            return "anything"

    assert isinstance(hold([Row()]), Records)
