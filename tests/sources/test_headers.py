"""A table's header: what is taken must be named well, what isn't may be named as it likes."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import TextRow
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import open_source


def rows_of(path: pathlib.Path, text: str, **options: Any) -> list[dict[str, str]]:
    """Write a table, and read it."""
    path.write_text(text)
    rows = [row for chunk in open_source(path, **options).chunks() for row in chunk.rows]
    return [row.as_dict() for row in rows if isinstance(row, TextRow)]


def test_columns_that_are_not_taken_may_have_any_name(tmp_path: pathlib.Path) -> None:
    """None, or that of another; in the rejects file each of them still is a column of its own."""
    text = 'id,,x,x," y ",,column 6\n1,2,3,4,5,6,7\n'
    with pytest.raises(SourceError, match="column 2 of its header has no name"):
        rows_of(tmp_path / "x.csv", text)
    assert rows_of(tmp_path / "x.csv", text, columns=["id", " y "], only=True) == [
        {"id": "1", "column 2": "2", "x": "3", "column 4": "4", " y ": "5", "column 6'": "6", "column 6": "7"}
    ]


def test_a_column_that_is_taken_is_named_once(tmp_path: pathlib.Path) -> None:
    """Which of the two is meant can't be told."""
    with pytest.raises(SourceError, match="columns 2 and 4 of its header have the same name"):
        rows_of(tmp_path / "x.csv", "id,alice,,alice\n", columns=["alice"], only=True)


def test_blanks_around_a_name_are_said(tmp_path: pathlib.Path) -> None:
    """By the column's number: the first line may be somebody's data."""
    with pytest.raises(SourceError, match="column 2 of its header has blanks around its name") as caught:
        rows_of(tmp_path / "x.csv", "user_id, alice\n1,2\n", columns=["user_id"])
    assert "alice" not in str(caught.value)
    with pytest.raises(SourceError, match=r"lacks the column 'user_id'; column 2 has blanks around that name"):
        rows_of(tmp_path / "x.csv", "plan, user_id\n1,2\n", columns=["user_id"], only=True)
    assert rows_of(tmp_path / "x.csv", "user_id, plan\n1,2\n", columns=["user_id"], only=True)


def test_a_column_that_is_named_almost_like_it(tmp_path: pathlib.Path) -> None:
    """It is named where it differs in case, blanks and punctuation alone: others may be somebody's data."""
    text = "Customer ID,alice\n1,2\n"
    with pytest.raises(SourceError, match=r"lacks the column 'customer_id'; did you mean 'Customer ID'\?$"):
        rows_of(tmp_path / "x.csv", text, columns=["customer_id"], only=True)
    with pytest.raises(
        SourceError, match=r"If the column 'Customer ID' holds it, .*--fields 'customer_id=Customer ID'"
    ):
        rows_of(tmp_path / "x.csv", text, columns=["customer_id"])
    for wanted in ("customer", "alices", "-"):
        with pytest.raises(SourceError) as caught:
            rows_of(tmp_path / "x.csv", f"{text}", columns=[wanted], only=True)
        assert "Customer ID" not in str(caught.value)
        assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("x.csv", "user_id;plan"), ("x.csv", "user_id\tplan"), ("x.tsv", "a,b")])
def test_a_table_with_another_delimiter_is_refused(tmp_path: pathlib.Path, name: str, text: str) -> None:
    """Its rows would be records of one column."""
    with pytest.raises(SourceError, match=r"a single column with (semicolons|tabs|commas) in its name"):
        rows_of(tmp_path / name, f"{text}\n1,2\n")
