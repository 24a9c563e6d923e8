"""Samples that a killed run had carried in, and that nobody tries again: a later run takes them over."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import claims
from airflow_provider_userdata.delivery.carry_over.claims import Claimant
from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.carry_over.taken_over import TakenOver, fates_of
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.resuming import Checkpointer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.sandbox import Sandbox

TUESDAY = ("tuesday", "")


@pytest.fixture(params=["disk", "store"])
def root(request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """Give a folder, on a disk or in an object store."""
    for name in ("botocore", "aiobotocore", "s3fs", "fsspec", "asyncio"):
        caplog.set_level(logging.INFO, name)
    return tmp_path if request.param == "disk" else request.getfixturevalue("bucket") / "root"


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes of runs before be gone."""
    monkeypatch.setattr(claims, "_is_there", lambda _: False)


@contextlib.contextmanager
def killed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let a run end without a word on what it had claimed."""
    with monkeypatch.context() as patch:
        patch.setattr(CarryOverFolder, "release", lambda *_, **__: None)
        patch.setattr(CarryOverFolder, "keep", lambda *_, **__: None)
        yield patch


@pytest.fixture
def week(root: Any, plan: Callable[..., Plan], rows: Callable[..., Any]) -> Any:
    """Give runs of a task, of which the first has held two samples."""
    made = Week(root, plan, rows("gerosense", 4_000))
    assert made.run("monday", 0, 2).report.held == 2
    return made


class Week:
    """A task's runs."""

    def __init__(self, root: Any, plan: Callable[..., Plan], samples: list[Any]) -> None:
        self.root, self.plan, self.samples = root, plan, samples

    def given(self, name: str, over: Any = ()) -> dict[str, Any]:
        """Give what a run's plan takes: its folder, and what is held."""
        held = CarryOverFolder(self.root / "held", "steps", "us", name, run_folder=lambda run, _: self.root / run)
        held.over = over
        return {"output": self.root / name, "held": held, "max_in_flight": 1}

    def run(self, name: str, first: int, end: int, over: Any = (), **options: Any) -> Result:
        """Deliver some of the samples."""
        return Delivery(self.plan("gerosense", self.samples[first:end], **self.given(name, over), **options)).run()

    def files(self) -> list[str]:
        """Name what lies in the folder of held samples."""
        return [path.name for path in claims.fresh_listing(self.root / "held") if path.name != ".identity"]


def arrived(sandbox: Sandbox) -> Counter[str]:
    """Count the accepted samples by device: each sample has one of its own."""
    return Counter(sample["device_name"] for sample in sandbox.gerosense.arrived())


def each_once(samples: list[Any]) -> Counter[str]:
    """Count samples by device."""
    return Counter(sample["device_name"] for sample in samples)


@pytest.mark.usefixtures("dead")
def test_what_a_killed_run_had_claimed_goes_out_with_a_later_one(
    week: Week, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is killed before it sends: the next run takes its samples over, says so, and counts none as resent."""

    async def die(*_: object) -> None:
        raise SystemExit

    with killed(monkeypatch) as patch:
        patch.setattr(Checkpointer, "save_first", die)
        week.run("tuesday", 2, 10)

    ended = week.run("wednesday", 10, 20, over={TUESDAY})

    assert (ended.report.read, ended.report.delivered, ended.report.resent) == (12, 12, 0)
    assert arrived(sandbox) == each_once(week.samples[:2] + week.samples[10:20])
    assert "run tuesday" in caplog.text
    assert week.files() == []


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("on_doubt", ["resend", "hold"])
def test_what_a_killed_run_may_have_sent_is_in_doubt(
    on_doubt: Any, week: Week, sandbox: Sandbox, crash: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed before the first receipt: its samples go again and are counted as resent, or are unknown (A3)."""
    with killed(monkeypatch):
        crash("gerosense", week.samples[2:1_500], receipt=1, **week.given("tuesday"))

    report = week.run("wednesday", 1_500, 1_600, over={TUESDAY}, patience=Patience(on_doubt=on_doubt)).report

    assert report.read == 102
    assert (report.resent, report.unknown) == ((2, 0) if on_doubt == "resend" else (0, 2))
    assert sum(count - 1 for count in arrived(sandbox).values()) == report.resent
    assert week.files() == []


@pytest.mark.usefixtures("dead")
def test_what_a_killed_run_had_delivered_is_not_sent_again(
    week: Week, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed after the receipt of the request that carried them: nothing is left of them to carry in."""
    with killed(monkeypatch):
        week.run("tuesday", 2, 10)

    report = week.run("wednesday", 10, 20, over={TUESDAY}).report

    assert (report.read, report.resent) == (10, 0)
    assert arrived(sandbox) == each_once(week.samples[:20])
    assert week.files() == []


def test_nothing_is_taken_from_a_run_that_is_alive(
    week: Week, sandbox: Sandbox, crash: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether Airflow may still try it again, or its process is still there: its own next attempt finds its claim."""
    with killed(monkeypatch):
        crash("gerosense", week.samples[2:1_500], receipt=1, **week.given("tuesday"))
    assert week.run("still there", 1_500, 1_510, over={TUESDAY}).report.read == 10
    monkeypatch.setattr(claims, "_is_there", lambda _: False)
    assert week.run("to be tried again", 1_510, 1_520).report.read == 10

    claimed = [list(week.given("tuesday")["held"].claim(resuming=True)) for _ in range(2)]
    assert claimed[0] == claimed[1]
    assert len(week.given("tuesday")["held"].claim(resuming=True)) == 2


def test_the_positions_that_a_run_gave_to_a_file_are_known(tmp_path: Path) -> None:
    """A run that had claimed several files gave each its own positions."""
    (tmp_path / "receipts-1-x.jsonl").write_text('{"ranges": [[6, 1]], "count": 1}\n')
    (tmp_path / "sent-1-x.jsonl").write_text('{"ranges": [[6, 2]]}\n')
    taken = TakenOver(lambda _run, _index: tmp_path)

    assert taken.left_of([b"5", b"6", b"7"], [Claimant("run", "", first=5)]) == ([b"5", b"7"], [1])
    assert taken.left_of([b"0", b"1"], [Claimant("run", "")]) == ([b"0", b"1"], [])


def test_what_a_runs_files_say_of_its_positions(tmp_path: Path) -> None:
    """Receipts and rejected records are settled; what was sent or announced, and not returned, is in doubt."""
    for name, lines in {
        "receipts-1-x": ['{"ranges": [[0, 1]], "count": 1}'],
        "rejects-1-x": [
            '{"position": 1, "fate": "rejected", "rule": "A4"}',
            '{"position": 2, "fate": "held", "rule": "G4"}',
        ],
        "sent-1-x": ['{"ranges": [[0, 6]]}', '{"returned": [[5, 1]]}', '{"until": 20}', '{"closed": true}'],
        "sent-2-x": ['{"until": 12}'],
    }.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))

    settled, doubt = fates_of(tmp_path)
    (tmp_path / "sent-2-x.jsonl").unlink()
    _, closed = fates_of(tmp_path)

    assert [place for place in range(30) if place in settled] == [0, 1]
    assert [place for place in range(30) if place in closed] == [2, 3, 4]
    assert [place in doubt for place in (4, 11, 12, 19)] == [True, True, False, False]


@pytest.mark.usefixtures("dead")
def test_a_run_whose_claims_were_taken_over_is_told(
    week: Week, crash: Callable[..., None], plan: Callable[..., Plan], store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody clears it after all: it doesn't send what another run has delivered meanwhile."""
    with killed(monkeypatch):
        crash("gerosense", week.samples[2:1_500], receipt=1, **week.given("tuesday"))
    week.run("wednesday", 1_500, 1_510, over={TUESDAY})

    again = Delivery(plan("gerosense", week.samples[2:1_500], store=store, **week.given("tuesday"))).run()

    assert "resume=False" in str(again.error)
    assert again.report.read == 0
