"""The report: what may be too many, and how it reads."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest

from airflow_provider_userdata.delivery.report import Counters, Fate, Report

NONE = Report(
    read=0,
    delivered=0,
    rejected=0,
    invalid=0,
    refused=0,
    held=0,
    unchanged=0,
    unknown=0,
    resent=0,
    requests=0,
    retries=0,
    bytes=0,
    seconds=0.0,
    rejects=None,
    receipts=None,
)


@pytest.mark.parametrize(
    ("rejected", "unknown", "read", "allowed", "exceeds"),
    [
        (0, 0, 0, 0, False),
        (0, 0, 10, 0, False),
        (1, 0, 10, 0, True),
        (0, 1, 10, 0, True),
        (2, 3, 10, 5, False),
        (3, 3, 10, 5, True),
        (1, 0, 10, 0.1, False),
        (2, 0, 10, 0.1, True),
        (0, 2, 10, 0.15, True),
        (1, 0, 10, 1.0, False),
        (2, 0, 10, 1.0, True),
        (0, 0, 0, 0.5, False),
        (3, 0, 10, 0.3, False),
    ],
)
def test_rejected_and_unknown_count_against_what_is_allowed(
    rejected: int, unknown: int, read: int, allowed: float, exceeds: bool
) -> None:
    """A number, or below 1 a share of what was read; what is held counts for nothing."""
    report = dataclasses.replace(NONE, read=read, rejected=rejected, unknown=unknown, held=4)

    assert report.exceeds(allowed) is exceeds


def test_the_summary_says_what_there_is() -> None:
    """Counts that are not zero, and the rules; large numbers are readable."""
    report = dataclasses.replace(
        NONE, read=100_000, delivered=99_000, rejected=997, invalid=990, refused=7, held=2, unknown=1, resent=1000
    )
    report = dataclasses.replace(report, requests=101, seconds=12.34)
    report = dataclasses.replace(report, reasons={"G8": 997, "G4": 2})

    assert report.summary() == (
        "100,000 read, 99,000 delivered, 990 invalid, 7 refused, 2 held, 1 unknown, 1,000 sent again while in doubt; "
        "101 requests in 12.3 s; by rule: G8, a unit or value that is not allowed: 997; G4, fewer than 3 samples: 2"
    )
    assert dataclasses.replace(NONE, requests=1).summary() == "0 read, 0 delivered; 1 request in 0.0 s"


def test_the_report_survives_airflow() -> None:
    """It is JSON and can be pickled, with all its keys."""
    assert json.loads(json.dumps(NONE.as_dict())) == NONE.as_dict()
    assert pickle.loads(pickle.dumps(NONE)) == NONE
    assert Report.of(json.loads(json.dumps(NONE.as_dict()))) == NONE
    first = ["read", "delivered", "rejected", "invalid", "refused", "held", "unchanged", "unknown"]
    assert list(NONE.as_dict())[:8] == first


def test_the_tally_counts_by_fate_and_rule() -> None:
    """Counts come together by fate, and by rule the most frequent first."""
    moments = iter([10.0, 12.5])
    tally = Counters(lambda: next(moments))
    tally.read = 6
    tally.record_outcome(Fate.DELIVERED, 2)
    tally.record_outcome(Fate.REJECTED, 1, "G8")
    tally.record_outcome(Fate.REJECTED, 2, "G10", answered=True)
    tally.record_rest_as_unknown()
    tally.record_rest_as_unknown()

    report = tally.report()

    assert (report.delivered, report.rejected, report.unknown, report.seconds) == (2, 3, 1, 2.5)
    assert (report.invalid, report.refused) == (1, 2)
    assert list(report.reasons) == ["G10", "G8", "A5"]


def test_requests_are_counted_by_their_answers() -> None:
    """In a few classes, which a checkpoint carries on; what HTTP doesn't know is left out."""
    tally = Counters(lambda: 0.0)
    for status in (200, 201, 302, 400, 429, 503, 99, None):
        tally.record_answer(status)
    later = Counters(lambda: 0.0)
    later.restore(json.loads(json.dumps(tally.snapshot())))
    later.record_answer(204)

    assert later.answers == {"2xx": 3, "3xx": 1, "4xx": 1, "429": 1, "5xx": 1, "none": 1}


def test_a_checkpoint_keeps_invalid_and_refused_apart() -> None:
    """Also where both broke the same rule."""
    tally, later = Counters(lambda: 0.0), Counters(lambda: 0.0)
    tally.record_outcome(Fate.REJECTED, 3, "G8")
    tally.record_outcome(Fate.REJECTED, 2, "G8", answered=True)
    later.restore(json.loads(json.dumps(tally.snapshot())))

    report = later.report()

    assert (report.rejected, report.invalid, report.refused) == (5, 3, 2)


@pytest.mark.parametrize(
    ("fates", "reasons", "refused"),
    [
        ({"delivered": 5}, {}, 0),
        ({"rejected": 3}, {"G8": 3}, 0),
        ({"rejected": 7}, {"G8": 3, "G10": 1, "G12": 3}, 4),
        ({"rejected": 4}, {"A4": 3, "T5": 1}, 3),
        ({"rejected": 1, "held": 5}, {"A4": 5, "T5": 1}, 0),
        ({"rejected": 2, "unknown": 3}, {"A4": 4, "T5": 1}, 1),
    ],
)
def test_counts_of_an_earlier_version_are_told_apart_by_their_rules(
    fates: dict[str, int], reasons: dict[str, int], refused: int
) -> None:
    """Rules of refusals alone say it; the one that held and unknown records share says it of what is left."""
    tally = Counters(lambda: 0.0)
    tally.restore({"fates": fates, "reasons": reasons})

    report = tally.report()

    assert (report.invalid, report.refused) == (fates.get("rejected", 0) - refused, refused)
