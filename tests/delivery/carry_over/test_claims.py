"""Held samples are claimed by one run alone, on a disk and in an object store, whatever the store can do."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import claims
from airflow_provider_userdata.delivery.carry_over.claims import Claimant, Claims
from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder

RACES = 100


class Together:
    """Two runs of a task at once, each with a client of its own to the store."""

    def __init__(self, folder: Callable[[str], Any]) -> None:
        self.folders = [folder(run) for run in ("one", "two")]
        self.barrier = threading.Barrier(2)

    def race(self, number: int) -> list[tuple[int, list[bytes]]]:
        """Let both claim what a run before has left; give what each got."""

        def claim(which: int) -> list[bytes]:
            held = CarryOverFolder(self.folders[which] / f"held-{number}", "steps", "us", f"run-{which}")
            self.barrier.wait(30)
            return list(held.claim())

        CarryOverFolder(self.folders[0] / f"held-{number}", "steps", "us", "before").keep([b"1", b"2"])
        with ThreadPoolExecutor(2) as pool:
            return list(enumerate(pool.map(claim, range(2))))


@pytest.fixture(autouse=True)
def nothing_said_of_requests(caplog: pytest.LogCaptureFixture) -> None:
    """Leave out what the store's client says of each request: it would take most of the time."""
    for name in ("botocore", "aiobotocore", "s3fs", "fsspec", "asyncio"):
        caplog.set_level(logging.INFO, name)


def clients(bucket: Any, s3: dict[str, Any]) -> list[tuple[str, Any]]:
    """Open a bucket as two processes do: nothing that one has listed is known to the other."""
    from upath import UPath

    return [(name, UPath(str(bucket), **s3, skip_instance_cache=True)) for name in ("one", "two")]


def test_of_two_runs_at_once_one_claims_what_is_held(tmp_path: Path) -> None:
    """A hundred times, one gets all and the other nothing."""
    together = Together(lambda _: tmp_path)

    for number in range(RACES):
        got = [bodies for _, bodies in together.race(number) if bodies]

        assert got == [[b"1", b"2"]]


@pytest.mark.slow
def test_in_an_object_store_too_one_claims_what_is_held(bucket: Any, s3: dict[str, Any]) -> None:
    """Of a hundred files that two runs want at the same moment, each goes to one of them."""
    for number in range(RACES):
        (bucket / "held" / f"steps-us-run-{number}-x.jsonl").write_bytes(b"%d\n" % number)
    runs = [CarryOverFolder(client / "held", "steps", "us", name) for name, client in clients(bucket, s3)]
    for held in runs:
        held.count()  # connects
    barrier = threading.Barrier(2)

    def claim(held: CarryOverFolder) -> list[bytes]:
        barrier.wait(30)
        return list(held.claim())

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(claim, runs)

    assert sorted(map(int, one + two)) == list(range(RACES))


class Unconditional:
    """A folder of a store that makes what is there already, without a word."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Unconditional:
        return type(self)(self.path / name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.path, name)

    @property
    def parent(self) -> Unconditional:
        """Give the folder above."""
        return type(self)(self.path.parent)

    def open(self, mode: str = "r") -> Any:
        """Open a file, as if nothing were there."""
        return self.path.open(mode.replace("x", "w"))

    def iterdir(self) -> Iterator[Unconditional]:
        """Give the files below."""
        return map(type(self), self.path.iterdir())


class Unable(Unconditional):
    """A folder of a store whose client knows no conditions."""

    def open(self, mode: str = "r") -> Any:
        """Open a file, in a mode of old."""
        if "x" in mode:
            raise NotImplementedError("File mode not supported")
        return super().open(mode)


@pytest.mark.parametrize("kind", [Unconditional, Unable])
def test_without_conditions_none_gets_what_another_wants(kind: Any, tmp_path: Path) -> None:
    """Where a store lets two make the same file, two runs at once may both leave it; never do both take it."""
    together = Together(lambda _: kind(tmp_path))

    for number in range(RACES):
        got = [bodies for _, bodies in together.race(number) if bodies]
        assert got in ([], [[b"1", b"2"]])
        later = CarryOverFolder(kind(tmp_path) / f"held-{number}", "steps", "us", "later")
        assert got or list(later.claim()) == [b"1", b"2"]


def test_a_claim_on_a_claim_is_made_once(tmp_path: Path) -> None:
    """Also what is taken over goes to one of those who want it."""
    folder = tmp_path / "held"
    folder.mkdir()
    both = [Claims(folder), Claims(folder)]
    assert both[0].take("x.jsonl", 1, Claimant("dead", ""))

    assert [claim.take("x.jsonl", 2, Claimant(name, "")) for claim, name in zip(both, "ab", strict=True)] == [
        True,
        False,
    ]
    ((first, second),) = both[1].listed().values()
    assert (first.by and first.by.run, second.by and second.by.run) == ("dead", "a")


def test_a_process_that_is_gone_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """On this machine that can be seen; of another, only when it last showed that it was alive."""
    by = Claimant("run", "")
    assert by.silence < claims.SILENCE

    monkeypatch.setattr(claims, "_is_there", lambda pid: False)

    assert by.silence > claims.SILENCE
    assert Claimant("run", "", host=uuid.uuid4().hex).silence < claims.SILENCE
