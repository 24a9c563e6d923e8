"""A user's records are taken out of the held ones, also where runs claim the file, and nobody else's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder, Claimant, Claims, erase_held, release_killed

USERS = [b'{"who":"geheim-1"}', b'{"who":"other"}', b'{"who":"geheim-1"}', b'{"who":"third"}']
OTHERS = [USERS[1], USERS[3]]
GONE: dict[str, Any] = {"host": "elsewhere", "renewed": 0.0}
"""Of a claim whose process showed nothing for long."""


@pytest.fixture(params=["disk", "store"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Give a folder of held records, on a disk and in an object store."""
    (tmp_path / "held").mkdir()
    return tmp_path / "held" if request.param == "disk" else request.getfixturevalue("bucket") / "held"


def folder_of(held: Any, run: str, **given: Any) -> CarryOverFolder:
    """Open the folder for a run."""
    return CarryOverFolder(held, "steps", "us", run, **given)


def name_in(held: Any) -> str:
    """Give the name of the one file of held records."""
    (name,) = [str(path.name) for path in held.iterdir() if path.name.endswith(".jsonl")]
    return name


def erased(held: Any, *, over: bool = False, run_folder: Callable[[str, str], Any] | None = None) -> int | None:
    """Erase the user."""
    folder = run_folder or (lambda run, _: held / run)
    return erase_held(held, name_in(held), lambda line: b"geheim-1" in line, lambda *_: over, folder)


def test_others_stay_and_go_out(held: Any) -> None:
    """Once: the file is free afterwards."""
    folder_of(held, "one").keep(USERS)
    assert erased(held) == 2
    assert list(folder_of(held, "two").claim()) == OTHERS
    assert list(folder_of(held, "three").claim()) == []


def test_nobody_is_left(held: Any) -> None:
    """The file goes, and no claim stays."""
    folder_of(held, "one").keep(USERS[:1])
    assert erased(held) == 1
    assert [path.name for path in held.iterdir()] == [".identity"]


def test_what_a_run_has_taken_stays(held: Any) -> None:
    """It has read the records already; the same if nobody knows whose a claim is."""
    folder_of(held, "one").keep(USERS)
    run = folder_of(held, "two")
    assert list(run.claim()) == USERS
    assert erased(held) is None
    assert erased(held, over=True) is None  # its process lives
    run.release(read=False, complete=False)
    with (held / f"{name_in(held)}.claim-000001").open("wb") as file:
        file.write(b"torn")
    assert erased(held, over=True) is None


def test_a_run_that_comes_meanwhile_leaves_it(held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is claimed before it is read: the run does without, and the next one sends the others."""
    folder_of(held, "one").keep(USERS)
    found: list[list[bytes]] = []

    def is_users(line: bytes) -> bool:
        found.append(list(folder_of(held, "two").claim()))
        return b"geheim-1" in line

    assert erase_held(held, name_in(held), is_users, lambda *_: False, lambda *_: held) == 2
    assert found == [[], [], [], []]
    assert list(folder_of(held, "three").claim()) == OTHERS


def test_a_run_was_faster(held: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It claims the file after the look at the claims: it has it."""
    folder_of(held, "one").keep(USERS)
    listed = Claims.listed

    def late(claims: Claims) -> Any:
        found = listed(claims)
        monkeypatch.undo()
        assert list(folder_of(held, "two").claim()) == USERS
        return found

    monkeypatch.setattr(Claims, "listed", late)
    assert erased(held) is None


def test_a_run_that_is_over_and_sent_nothing(held: Any, tmp_path: Path) -> None:
    """Its claim ends; a run that is over, but may have sent some of the records, is asked by the next run."""
    folder_of(held, "one").keep(USERS)
    name = name_in(held)
    assert Claims(held).take(name, 1, Claimant("killed", "", **GONE))
    assert erased(held) is None  # Airflow says that it goes on
    assert erased(held, over=True) is None  # nobody knows what it sent: its files are elsewhere
    fates = tmp_path / "killed"
    fates.mkdir()
    (fates / "receipts-1-x.jsonl").write_text('{"ranges":[[1,1]],"count":1}\n')
    assert erased(held, over=True, run_folder=lambda *_: fates) is None
    (fates / "receipts-1-x.jsonl").write_text('{"ranges":[[4,1]],"count":1}\n')
    (fates / "sent-1-x.jsonl").write_text('{"ranges":[[2,3]]}\n')
    assert erased(held, over=True, run_folder=lambda *_: fates) is None
    (fates / "sent-1-x.jsonl").write_text('{"ranges":[[4,2]]}\n')
    assert [path.name for path in held.iterdir() if ".claim-" in path.name] == [f"{name}.claim-000001"]

    assert erased(held, over=True, run_folder=lambda *_: fates) == 2

    taken = folder_of(held, "two")
    assert (list(taken.claim()), taken.in_doubt) == (OTHERS, [])


def test_a_call_that_was_killed(held: Any) -> None:
    """Its claim ends with the next call; a run takes the file over, too."""
    folder_of(held, "one").keep(USERS)
    assert Claims(held).take(name_in(held), 1, Claimant("userdata erase", "", **GONE))
    release_killed(held)
    assert Claims(held).listed() == {}
    assert Claims(held).take(name_in(held), 1, Claimant("userdata erase", "", **GONE))
    assert erased(held) == 2
    assert list(folder_of(held, "two").claim()) == OTHERS


def test_a_call_under_way_keeps_its_claim(held: Any) -> None:
    """Of two calls at once, one has a file."""
    folder_of(held, "one").keep(USERS)
    assert Claims(held).take(name_in(held), 1, Claimant("userdata erase", ""))
    release_killed(held)
    assert erased(held) is None


def test_a_file_that_a_crash_cut_short(tmp_path: Path) -> None:
    """No run reads it: it goes, unless it may be being written."""
    part = tmp_path / ".steps-us-run-one.jsonl.part"
    part.write_bytes(json.dumps({"who": "geheim-1"}).encode())

    def call() -> int | None:
        return erase_held(tmp_path, part.name, lambda _: True, lambda *_: False, lambda *_: tmp_path)

    assert call() is None
    os.utime(part, (time.time() - 100,) * 2)
    assert call() == 1
    assert not part.exists()
