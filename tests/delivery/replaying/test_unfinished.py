"""A run that ended early is replayed, and cleared then: it doesn't send what the replay sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording import cut_log
from airflow_provider_userdata.delivery.resuming import recovery, sent_meanwhile
from airflow_provider_userdata.delivery.sending import Patience
from airflow_provider_userdata.errors import VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Crash

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
COUNT = 40
ONCE = Patience(max_attempts=1)


def halted(vendor: str, attempt: Deliver, records: Any, sandbox: Sandbox, **given: Any) -> Result:
    """Let the vendor take some records, and then none."""
    sandbox.vendors[vendor].script("ok", "503 x99")
    ended = attempt(vendor, records, patience=ONCE, max_in_flight=1, **given)
    assert isinstance(ended.error, VendorDownError)
    sandbox.vendors[vendor].clear_faults()
    return ended


@pytest.mark.parametrize("vendor", ["thymia", "ptengine", "gerosense"])
def test_each_record_arrives_once(
    vendor: str, attempt: Deliver, again: Deliver, rejects: Any, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What a replay has sent of the held ones counts as delivered; the attempt sends the others."""
    size = 120 if vendor == "ptengine" else 1100 if vendor == "gerosense" else COUNT
    records = rows(vendor, size)
    first = halted(vendor, attempt, records, sandbox)
    assert again(vendor, rejects(limit=10)).report.delivered == 10

    second = attempt(vendor, records)

    assert (second.error, second.report.delivered, second.report.read) == (None, size, size)
    arrived = sandbox.vendors[vendor].counts
    assert (arrived.records, arrived.distinct) == (size, size)
    assert first.report.held > 10
    assert again(vendor, rejects(), run="last").report.read == 0


@pytest.mark.parametrize("where", ["before the mark", "after the mark", "after the cut"])
def test_a_crash_between_loses_no_mark(
    where: str,
    attempt: Deliver,
    again: Deliver,
    rejects: Any,
    rows: Rows,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lines that marks name are removed once it is written which records they were."""
    records = rows("thymia", COUNT)
    halted("thymia", attempt, records, sandbox)
    again("thymia", rejects(limit=10))
    keep, cut = sent_meanwhile.keep_sent_meanwhile, cut_log

    def crash(*given: Any) -> None:
        if where == "after the mark":
            keep(*given)
        elif where == "after the cut":
            cut(*given)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "cut_log" if where == "after the cut" else "keep_sent_meanwhile", crash)
        assert "Crash ended the delivery" in str(attempt("thymia", records).error)

    assert attempt("thymia", records).report.delivered == COUNT
    assert sandbox.thymia.counts.records == sandbox.thymia.counts.distinct == COUNT


def test_what_the_replay_held_again_goes_out_once(
    attempt: Deliver, again: Deliver, rejects: Any, rows: Rows, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Two samples that it was to send wait for the next run by now: the attempt leaves them to that."""

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps", "us", run)

    records = rows("gerosense", 1100)
    halted("gerosense", attempt, records, sandbox, held=held("monday"))
    assert again("gerosense", rejects(limit=2), held=held("replay")).report.held == 2

    second = attempt("gerosense", records, held=held("monday"))

    assert (second.report.delivered, second.report.held) == (1098, 2)
    attempt("gerosense", rows("gerosense", 1, 5000), held=held("tuesday"), output=tmp_path / "tuesday", resume=False)
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 1101
