"""Samples that an earlier run had held, through the attempts of the run that carries them in (G4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.closing import Closing
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import ResumeError, SourceBrokeError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Crash, crashing

Attempt = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Open = Callable[[str], CarryOverFolder]


@pytest.fixture
def folder(tmp_path: Path) -> Open:
    """Open the folder of held samples as a run does: ``folder("monday")``."""
    return lambda run: CarryOverFolder(tmp_path / "held", "steps", "us", run)


@pytest.fixture
def samples(folder: Open, deliver: Callable[..., Result], rows: Rows, tmp_path: Path) -> list[Any]:
    """Give samples of which an earlier run has held the first two."""
    made = rows("gerosense", 3_000)
    deliver("gerosense", made[:2], output=tmp_path / "monday", held=folder("monday"))
    return made


def broken(rows: list[Any]) -> Any:
    """Give rows, and break."""
    yield from rows
    raise SourceBrokeError("the cursor was closed")


def names(sandbox: Sandbox) -> Counter[str]:
    """Count the accepted samples by device: each sample has one of its own."""
    return Counter(sample["device_name"] for sample in sandbox.gerosense.arrived())


def test_carried_samples_keep_their_positions(
    samples: list[Any], attempt: Attempt, folder: Open, whole: Callable[..., None], sandbox: Sandbox
) -> None:
    """The second attempt carries in what the first had, and not what another run left meanwhile."""
    first = attempt("gerosense", broken(samples[2:1_500]), held=folder("tuesday"), more_attempts=True)
    assert (first.report.delivered, folder("tuesday").count()) == (1_000, 0)
    folder("wednesday").keep([b"{}"])

    second = attempt("gerosense", samples[2:], held=folder("tuesday"))

    assert second.error is None
    whole(second.report, 3_000)
    assert names(sandbox) == Counter(sample["device_name"] for sample in samples)
    assert list(folder("thursday").claim()) == [b"{}"]


@pytest.mark.parametrize("more_attempts", [True, False])
def test_claims_are_kept_as_long_as_an_attempt_is_to_come(
    more_attempts: bool, samples: list[Any], attempt: Attempt, folder: Open, sandbox: Sandbox
) -> None:
    """A run that will be tried again keeps what it has claimed; one that won't gives it back to other runs."""
    sandbox.gerosense.script("503 x99")

    failed = attempt(
        "gerosense",
        samples[2:1_000],
        held=folder("tuesday"),
        more_attempts=more_attempts,
        patience=Patience(max_attempts=2),
    )

    assert isinstance(failed.error, VendorDownError)
    assert folder("wednesday").count() == (0 if more_attempts else 2)


def test_what_an_earlier_attempt_delivered_is_not_given_back(
    samples: list[Any], attempt: Attempt, folder: Open, sandbox: Sandbox
) -> None:
    """A last attempt that ends before it reads leaves to other runs only what no attempt of its own had delivered."""
    attempt("gerosense", broken(samples[2:1_500]), held=folder("tuesday"), more_attempts=True)
    sandbox.gerosense.maintenance = True

    last = attempt("gerosense", samples[2:], held=folder("tuesday"), patience=Patience(max_wait=60))

    assert (last.report.read, last.report.delivered) == (1_000, 1_000)
    assert list(folder("wednesday").claim()) == []


def test_a_run_whose_carried_samples_went_to_others_says_so(
    samples: list[Any], attempt: Attempt, folder: Open, sandbox: Sandbox
) -> None:
    """Where the positions can't be found again, nothing is sent, and the ways out are said."""
    attempt("gerosense", broken(samples[2:1_500]), held=folder("tuesday"))

    again = attempt("gerosense", samples[2:], held=folder("tuesday"))

    assert isinstance(again.error, ResumeError)
    assert "resume=False" in str(again.error)
    assert sandbox.gerosense.counts.records == 1_000


def test_samples_that_are_enough_after_a_crash_are_held_no_longer(
    attempt: Attempt, folder: Open, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an attempt had kept for the next run, and its own next one delivers, doesn't wait for the next run."""

    async def crash(*_: object, **__: object) -> None:
        raise Crash

    samples = rows("gerosense", 5)
    with monkeypatch.context() as patch:
        patch.setattr(Closing, "mark_completed", crash)
        with pytest.raises(Crash):
            attempt("gerosense", samples[:2], held=folder("monday"))
    assert folder("tuesday").count() == 2

    again = attempt("gerosense", samples, held=folder("monday"))

    assert (again.report.delivered, folder("tuesday").count()) == (5, 0)


@pytest.mark.parametrize("count", [1, 2, 1_000])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (AttemptFiles, "flush"),
        (CarryOverFolder, "keep"),
        (Closing, "mark_completed"),
        (AttemptFiles, "remove_unneeded"),
        (CarryOverFolder, "release"),
    ],
)
@pytest.mark.parametrize("after", [True, False])
def test_a_crash_at_the_end_of_a_run_loses_no_sample(
    count: int,
    owner: Any,
    name: str,
    after: bool,
    attempt: Attempt,
    folder: Open,
    rows: Rows,
    sandbox: Sandbox,
    deliver: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Whichever step of its end is the last, or the first that isn't made: each sample goes out, and only once."""
    samples = rows("gerosense", 1 + count + 3)
    deliver("gerosense", samples[:1], output=tmp_path / "monday", held=folder("monday"))

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, crashing(getattr(owner, name), after=after))
        with pytest.raises(Crash):
            attempt("gerosense", samples[1 : 1 + count], held=folder("tuesday"))
    tuesday = attempt("gerosense", samples[1 : 1 + count], held=folder("tuesday"))
    assert tuesday.error is None
    assert tuesday.report.read == 1 + count
    wednesday = deliver("gerosense", samples[1 + count :], output=tmp_path / "wednesday", held=folder("wednesday"))

    assert wednesday.error is None
    assert names(sandbox) == Counter(sample["device_name"] for sample in samples)
    assert folder("thursday").count() == 0
    assert not [path.name for path in (tmp_path / "held").iterdir() if "claim" in path.name]
