"""Records of users who have too few wait in memory, and if they are many, in a file: nothing tells the two apart."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import Header, TextRow
from airflow_provider_userdata.delivery.sending import few_records
from airflow_provider_userdata.delivery.sending.few_records import FewRecords
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors.gerosense_user import Person

ROWS: list[Any] = [
    b'{"a": 1}\n',
    TextRow(Header(("a", "b")), ["1", "\udcff"]),
    {"a": Decimal("1.10"), "b": datetime(2026, 1, 1, tzinfo=UTC), "c": [float("inf"), None]},
]


def kept_of(users: Sequence[str], folder: Path, row: Any = b"{}") -> FewRecords:
    """Keep a record of each user, at positions from 0, no more than one of them in memory."""
    kept = FewRecords(folder, most=1)
    for place, user in enumerate(users):
        kept.put(user, few(user, place, row))
        kept.shrink()
    return kept


def few(user: str | None, place: int, row: Any = b"{}") -> list[Record]:
    """Make one record of a user."""
    return [Record(b"{}", user=user, position=place, row=row)]


@pytest.mark.parametrize("row", ROWS)
def test_they_come_back_as_they_were(row: Any, tmp_path: Path) -> None:
    """With their rows, for the rejects file, and with what registers their user."""
    user = Person.of("u", "Female", 1990)
    kept = kept_of([user, "v", "w"], tmp_path, row)

    kept.bring_back(["u", "nobody"])
    (record,) = kept.take("u")

    assert isinstance(record.user, Person)
    assert (record.user, record.user.year_of_birth, record.position) == ("u", 1990, 0)
    assert repr(record.row).split(" at ")[0] == repr(row).split(" at ")[0]
    assert sorted(one.position for records in kept for one in records) == [1, 2]
    assert kept.take("u") == []


def test_what_no_file_can_hold_stays_in_memory(tmp_path: Path) -> None:
    """A row may be any object of an author's."""
    row = {"a": lambda: None}
    kept = kept_of("abcd", tmp_path, row)

    kept.bring_back("abcd")

    assert [kept.take(user)[0].row for user in "abcd"] == [row] * 4
    assert list(kept) == []


def test_two_users_with_one_number_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However unlikely that is."""
    monkeypatch.setattr(few_records, "_number", lambda _: 1)
    kept = kept_of("abcde", tmp_path)

    kept.bring_back(["b", "d"])

    assert [kept.take(user)[0].position for user in "bd"] == [1, 3]
    assert sorted(one.position for records in kept for one in records) == [0, 2, 4]


def test_nobody_else_can_read_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is private, and has no name once it is open: a process that is killed leaves nothing of it."""
    modes: list[int] = []
    connect: Any = sqlite3.connect

    def seen(name: str, **options: Any) -> Any:
        modes.append(stat.S_IMODE(Path(name).stat().st_mode))
        return connect(name, **options)

    monkeypatch.setattr(sqlite3, "connect", seen)
    kept = kept_of([f"u{place}" for place in range(2_000)], tmp_path)

    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == []
    assert sum(map(len, kept)) == 2_000


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    """A retry may help."""
    with pytest.raises(OutputError, match="can't be used: FileNotFoundError"):
        kept_of("ab", tmp_path / "nowhere")
