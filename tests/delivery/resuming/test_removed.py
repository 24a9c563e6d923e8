"""What was put on record is there when a task is green: a folder that vanishes in the middle of a run turns it red."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.errors import OutputError, SourceBrokeError
from airflow_provider_userdata.sandbox import Sandbox

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def saved_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint more often than once a second."""
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.02)


@pytest.fixture
def mixed(rows: Rows) -> list[Any]:
    """Give records of which every second one is rejected."""
    return [row for pair in zip(rows("thymia", 40), ["geheim"] * 40, strict=True) for row in pair]


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is there, for as long as a test may take."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


class Meanwhile:
    """A source in two chunks, between which something happens: once the first is on record.

    :param rows: every second of them can be sent.
    :param fails: whether the source breaks instead of giving the second chunk.
    """

    total = None

    def __init__(self, rows: list[Any], sandbox: Sandbox, action: Callable[[], object], *, fails: bool = False) -> None:
        self.rows, self.sandbox, self.action, self.fails = rows, sandbox, action, fails

    def chunks(self) -> Iterator[Chunk]:
        """Give the chunks."""
        half = len(self.rows) // 2
        yield Chunk(RowFormat.OBJECTS, self.rows[:half])
        wait_for(lambda: self.sandbox.thymia.counts.records >= half // 2)
        self.action()
        if self.fails:
            raise SourceBrokeError("the cursor was closed")
        yield Chunk(RowFormat.OBJECTS, self.rows[half:])


def only(folder: Path, kind: str) -> Path:
    """Give the only file of a kind."""
    (found,) = folder.glob(f"{kind}-*.jsonl")
    return found


def replaced(path: Path) -> None:
    """Put another file in a file's place, as an editor does, and let what is written go astray."""
    path.rename(path.with_name("taken"))
    path.write_bytes(path.with_name("taken").read_bytes() + b"{}\n")


HARM: dict[str, Callable[[Path], object]] = {
    "the folder is removed": shutil.rmtree,
    "the rejects are removed": lambda folder: only(folder, "rejects").unlink(),
    "the receipts are removed": lambda folder: only(folder, "receipts").unlink(),
    "the rejects are replaced": lambda folder: replaced(only(folder, "rejects")),
    "the receipts are replaced": lambda folder: replaced(only(folder, "receipts")),
    "the rejects are emptied": lambda folder: only(folder, "rejects").write_bytes(b""),
    "the receipts are cut short": lambda folder: only(folder, "receipts").write_bytes(b"{}\n"),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_was_lost_in_the_middle_turns_the_task_red(
    harm: str, attempt: Attempt, mixed: list[Any], sandbox: Sandbox, tmp_path: Path, store: Any
) -> None:
    """Green means that every reject and every receipt can be found."""

    def lose() -> None:
        wait_for(lambda: list((tmp_path / "run").glob("rejects-*")))
        HARM[harm](tmp_path / "run")

    ended = attempt("thymia", Meanwhile(mixed, sandbox, lose))

    assert isinstance(ended.error, OutputError)
    assert "output_path" in str(ended.error)
    assert not store.is_done


def test_a_loss_shows_at_the_next_checkpoint(attempt: Attempt, rows: Rows, sandbox: Sandbox, tmp_path: Path) -> None:
    """A long run doesn't go on to its end without receipts."""
    sandbox.thymia.latency = 0.01
    source = Meanwhile(rows("thymia", 5_000), sandbox, lambda: None)

    def remove() -> None:
        wait_for(lambda: sandbox.thymia.counts.records >= 10)
        shutil.rmtree(tmp_path / "run")

    source.chunks = lambda: iter([Chunk(RowFormat.OBJECTS, source.rows)])  # type: ignore[method-assign]
    ended = attempt("thymia", source, max_in_flight=1, on_start=lambda _: threading.Thread(target=remove).start())

    assert isinstance(ended.error, OutputError)
    assert sandbox.thymia.counts.records < 5_000


@pytest.mark.parametrize("harm", ["the folder is removed", "the rejects are removed", "the receipts are cut short"])
def test_what_was_lost_between_attempts_turns_the_task_red(
    harm: str, attempt: Attempt, mixed: list[Any], sandbox: Sandbox, tmp_path: Path, store: Any
) -> None:
    """The last attempt answers for those before it: it delivers the rest, and says what is missing, each time."""
    attempt("thymia", Meanwhile(mixed, sandbox, lambda: None, fails=True), more_attempts=True)
    HARM[harm](tmp_path / "run")

    for _ in range(2):
        ended = attempt("thymia", mixed)

        assert isinstance(ended.error, OutputError)
        assert sandbox.thymia.counts.distinct == 40
        assert not store.is_done


def test_what_lies_on_another_machine_is_not_missed(
    attempt: Attempt, mixed: list[Any], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an attempt before ran on another worker, with a disk of its own, that is said, and no error."""
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "elsewhere")
        attempt("thymia", Meanwhile(mixed, sandbox, lambda: None, fails=True), more_attempts=True)
    shutil.rmtree(tmp_path / "run")

    assert attempt("thymia", mixed).error is None


@pytest.mark.parametrize("kind", ["rejects", "receipts"])
@pytest.mark.parametrize("between", [True, False])
def test_a_part_that_is_deleted_from_an_object_store_turns_the_task_red(
    kind: str, between: bool, attempt: Attempt, mixed: list[Any], sandbox: Sandbox, bucket: Any, store: Any
) -> None:
    """A rule of the bucket's lifecycle, or a person, may have removed it."""
    folder = bucket / "run"

    def delete() -> None:
        folder.fs.invalidate_cache()
        next(path for path in folder.iterdir() if path.name.startswith(kind)).unlink()

    def later() -> None:
        wait_for(lambda: any(kind in name for name in folder.fs.ls(folder.path, refresh=True)))
        if not between:
            delete()

    ended = attempt("thymia", Meanwhile(mixed, sandbox, later, fails=between), output=folder, more_attempts=between)
    if between:
        delete()
        ended = attempt("thymia", mixed, output=folder)

    assert isinstance(ended.error, OutputError)
    assert f"{kind}-1-x-" in str(ended.error)
    assert not store.is_done
