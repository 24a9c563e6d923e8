"""Samples that are too few wait in a folder, and go out first in the next run, once."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.errors import OutputError


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., CarryOverFolder]:
    """Open the folder as a run does: ``folder("run-1", stream="bpm", account="them", index="3")``."""
    return lambda run, stream="steps", account="us", index="": CarryOverFolder(
        tmp_path / "held", stream, account, run, index
    )


Open = Callable[..., CarryOverFolder]


def test_the_next_run_takes_what_was_kept(folder: Open, tmp_path: Path) -> None:
    """What a run keeps, the next one claims, in order, and removes when it has a fate."""
    folder("one").keep([b'{"a":1}', b'{"a":2}'])
    assert folder("other").count() == 2

    two = folder("two")
    assert list(two.claim()) == [b'{"a":1}', b'{"a":2}']
    assert two.has_claimed
    two.release(read=True, complete=True)

    assert list(folder("three").claim()) == []
    assert [path.name for path in (tmp_path / "held").iterdir()] == [".identity"]


def test_what_was_held_for_another_account_stays(folder: Open) -> None:
    """An account may be one person's: nobody else's samples go there, and they wait until theirs is back (G14)."""
    folder("one", account="alice").keep([b"1", b"2"])

    bob = folder("two", account="bob")
    assert (list(bob.claim()), bob.count(), bob.count_others()) == ([], 0, 2)
    bob.release(read=True, complete=True)
    assert list(folder("three", account="alice").claim()) == [b"1", b"2"]


def test_mapped_tasks_of_one_run_leave_each_others_records(folder: Open) -> None:
    """Cleared, each reads its own again; in the next run, whichever is first takes them, whatever its index."""
    folder("one", index="0").keep([b"0"])
    folder("one", index="1").keep([b"1"])
    assert list(folder("one", index="10").claim()) == []

    again = folder("one", index="1")
    assert list(again.claim()) == []
    again.keep([b"11"])
    again.release(read=True, complete=True)
    assert sorted(folder("two", index="5").claim()) == [b"0", b"11"]


def test_two_runs_at_once_never_carry_the_same(folder: Open) -> None:
    """What one run has claimed, no other run sees."""
    folder("one").keep([b"1"])

    assert list(folder("two").claim()) == [b"1"]
    assert list(folder("three").claim()) == []
    assert folder("three").count() == 0


def test_a_stopped_run_gives_back_what_it_has_not_read(folder: Open) -> None:
    """Claims of a run that ended before it read them are open to the next run."""
    folder("one").keep([b"1"])
    two = folder("two")
    two.claim()

    two.release(read=False, complete=False)

    assert list(folder("three").claim()) == [b"1"]


def test_a_repeated_attempt_finds_the_claims_of_the_crashed_one(folder: Open) -> None:
    """The same run, started again after a crash, claims what its earlier attempt had claimed."""
    folder("one").keep([b"1"])
    folder("two").claim()

    assert list(folder("three").claim()) == []
    assert list(folder("two").claim()) == [b"1"]


def test_an_attempts_own_records_are_superseded_by_the_next_attempt(folder: Open) -> None:
    """A run that reads its source again doesn't also carry in what it held the first time."""
    folder("one").keep([b"1", b"2"])

    again = folder("one")
    assert list(again.claim()) == []
    again.release(read=True, complete=True)

    assert list(folder("two").claim()) == []


def test_an_attempt_that_fails_leaves_what_the_earlier_one_held(folder: Open) -> None:
    """Until an attempt of the run ends well, what the earlier one held stays for other runs."""
    folder("one").keep([b"1", b"2"])
    again = folder("one")
    again.claim()

    again.release(read=True, complete=False)

    assert list(folder("two").claim()) == [b"1", b"2"]


@pytest.mark.parametrize("other", ["one-2", "one-run", "one-run-one", "on", "one%2D2"])
def test_runs_with_similar_names_are_not_taken_for_one(folder: Open, other: str) -> None:
    """A run whose name begins like another's carries in what that one held."""
    folder(other).keep([b"1"])

    one = folder("one")
    assert list(one.claim()) == [b"1"]
    one.release(read=True, complete=True)


@pytest.mark.parametrize("run", ["x" * 250, "実行" * 50, "a/b:c+d e"])
def test_a_run_may_have_any_name(folder: Open, run: str) -> None:
    """Names of the length that Airflow allows, in any script, make files that can be claimed."""
    folder(run).keep([b"1"])
    folder(f"{run}!").keep([b"2"])

    assert list(folder(run).claim()) == [b"2"]


def test_carried_records_outlive_the_runs_own_attempts(folder: Open) -> None:
    """What an attempt carried in and could not send, its next attempt carries in again."""
    folder("one").keep_on([(0, b"1")])

    assert list(folder("one").claim()) == [b"1"]


def test_streams_do_not_mix(folder: Open) -> None:
    """Heart rates never go out with steps (G2)."""
    folder("one", stream="bpm").keep([b"1"])

    assert list(folder("two").claim()) == []
    assert folder("two").count() == 0
    assert list(folder("two", stream="bpm").claim()) == [b"1"]


def test_nothing_kept_makes_no_folder(folder: Open, tmp_path: Path) -> None:
    """A task that never holds anything has no folder for it."""
    folder("one").keep([])

    assert list(folder("one").claim()) == []
    assert folder("one").count() == 0
    assert folder("one").identity() is None
    assert not (tmp_path / "held").exists()


def test_held_files_are_private(folder: Open, tmp_path: Path) -> None:
    """Only this user reads what is held."""
    folder("one").keep([b"1"])

    assert stat.S_IMODE((tmp_path / "held").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "held").iterdir()} == {0o600}


def test_the_folder_has_one_identity(folder: Open, tmp_path: Path) -> None:
    """A folder keeps its name, and another one has another name."""
    one = folder("one")
    one.keep([b"1"])
    first = one.identity()
    folder("two").keep([b"2"])
    elsewhere = CarryOverFolder(tmp_path / "elsewhere", "steps", "us", "one")
    elsewhere.keep([b"1"])

    assert first is not None
    assert folder("three").identity() == first != elsewhere.identity()


def test_a_claim_that_breaks_off_loses_nothing(folder: Open, tmp_path: Path) -> None:
    """Where one of the files can't be read, the claim fails and every file is open again."""
    folder("one").keep([b"1"])
    (tmp_path / "held" / "steps-us-run-odd-12345678.jsonl").mkdir()

    two = folder("two")
    with pytest.raises(OutputError, match="folder of held records"):
        two.claim()
    two.release(read=True, complete=True)

    (tmp_path / "held" / "steps-us-run-odd-12345678.jsonl").rmdir()
    assert list(folder("three").claim()) == [b"1"]


def test_a_file_that_vanishes_meanwhile_was_claimed_by_another_run(
    folder: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing the folder and claiming a file, another run may be faster: that is no error."""
    folder("one").keep([b"1"])
    listed = list((tmp_path / "held").iterdir())
    folder("two").claim()
    monkeypatch.setattr(Path, "iterdir", lambda _: iter(listed))

    assert list(folder("three").claim()) == []


def test_a_claimed_file_is_never_half_written(folder: Open) -> None:
    """A run that looks while another one writes finds the whole file or none."""
    seen: list[int] = []

    class Watched(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            for place in range(3):
                yield json.dumps({"a": place}).encode()
                seen.append(len(folder("two").claim()))

    folder("one").keep(Watched([b"1", b"2", b"3"]))

    assert [*seen, len(folder("two").claim())] == [0, 0, 0, 3]


def test_a_place_that_is_no_folder_is_an_output_error(tmp_path: Path) -> None:
    """A file in the folder's place is said as such, without anything of a record."""
    (tmp_path / "held").write_text("")
    held: Any = CarryOverFolder(tmp_path / "held", "steps", "us", "one")

    for use in (held.claim, held.count, held.count_others, lambda: held.keep([b'"geheim"'])):
        with pytest.raises(OutputError, match="can't be used") as caught:
            use()
        assert "geheim" not in str(caught.value)
