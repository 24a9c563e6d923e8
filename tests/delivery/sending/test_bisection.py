"""What was refused is halved to find the records at fault, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending import bisection
from airflow_provider_userdata.errors import RefusedError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.reading import ContractBreach

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]
Refuse = Callable[..., None]


@pytest.fixture
def refuse(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Let a vendor refuse every request that carries one of some names: ``refuse("gerosense", "geheim-3")``."""

    def refusing(vendor: str, *bad: str) -> None:
        check = sandbox.vendors[vendor].check

        def checked(request: Any, body: bytes) -> list[dict[str, Any]]:
            if any(f'"{name}"'.encode() in body for name in bad):
                raise ContractBreach("G8", ("data",), "geheim is not to our liking")
            return check(request, body)

        monkeypatch.setattr(sandbox.vendors[vendor], "check", checked)

    return refusing


@pytest.mark.parametrize("place", [0, 1, 499, 500, 777, 998, 999])
def test_one_bad_sample_is_found_among_a_few(
    place: int, refuse: Refuse, deliver: Deliver, rows: Rows, lines: JsonLines, sandbox: Sandbox
) -> None:
    """Of 1000 samples with one at fault, 3 to 5 are rejected and all others accepted (G12)."""
    refuse("gerosense", f"geheim-{place}")

    ended = deliver("gerosense", rows("gerosense", 1000))

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert 3 <= len(found) <= 5
    assert place in [line["position"] for line in found]
    assert {(line["rule"], line["status"]) for line in found} == {("G12", 400)}
    assert all(f"is one of {len(found)} that were refused together" in line["reason"] for line in found)
    assert sandbox.gerosense.counts.distinct == ended.report.delivered == 1000 - len(found)
    assert sandbox.gerosense.counts.repeated == 0
    assert ended.report.requests <= 1 + 2 * 8


@pytest.mark.parametrize("place", [3, 1500])
def test_a_refused_batch_of_a_file_is_made_anew(
    place: int, refuse: Refuse, deliver: Deliver, rows: Rows, lines: JsonLines, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Samples of a file are let go once they are encoded: the halves of a refused batch carry them all the same."""
    refuse("gerosense", f"geheim-{place}")
    source = tmp_path / "samples.jsonl"
    source.write_text("\n".join([json.dumps(row) for row in rows("gerosense", 2500)]))

    ended = deliver("gerosense", str(source))

    found = lines(ended.report.rejects)
    assert place in [line["position"] for line in found]
    assert [line["record"] for line in found] == [rows("gerosense", 2500)[line["position"]] for line in found]
    assert sandbox.gerosense.counts.distinct == ended.report.delivered == 2500 - len(found) > 2490
    assert sandbox.gerosense.counts.repeated == 0


@pytest.mark.parametrize("places", [[0], [99], [41, 42], [0, 33, 66, 99], list(range(0, 100, 17))])
def test_profiles_are_halved_down_to_the_one_at_fault(
    places: list[int], refuse: Refuse, deliver: Deliver, rows: Rows, lines: JsonLines, sandbox: Sandbox
) -> None:
    """An upsert can be repeated with one row, so only the rows at fault are rejected (P11)."""
    refuse("ptengine", *[f"geheim-{place}" for place in places])

    ended = deliver("ptengine", rows("ptengine", 100))

    found = lines(ended.report.rejects)
    assert ended.error is None
    assert sorted(line["position"] for line in found) == places
    assert {line["rule"] for line in found} == {"P10"}
    assert sandbox.ptengine.counts.distinct == 100 - len(places)


@pytest.mark.parametrize("batch", [3, 4, 5])
def test_samples_are_never_halved_below_three(
    batch: int, refuse: Refuse, deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """A group that can't be halved without a tail is rejected as it is (G3, G12)."""
    refuse("gerosense", "geheim-0")

    ended = deliver("gerosense", rows("gerosense", batch))

    assert (ended.report.rejected, ended.report.requests) == (batch, 1)


def test_a_refusal_for_size_is_halved_until_it_fits(
    deliver: Deliver, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 413 splits the batch; every part that fits is delivered (A4)."""
    error = sandbox.ptengine.error

    def too_large(request: Any, body: bytes) -> list[dict[str, Any]]:
        if len(json.loads(body)["values"]) > 30:
            raise ContractBreach("P4", (), "too large")
        return check(request, body)

    check = sandbox.ptengine.check
    monkeypatch.setattr(sandbox.ptengine, "check", too_large)
    monkeypatch.setattr(sandbox.ptengine, "refusal", lambda refused: error(413, refused.message))

    ended = deliver("ptengine", rows("ptengine", 250))

    assert (ended.error, ended.report.delivered) == (None, 250)
    assert sandbox.ptengine.counts.by_status[413] > 0


@pytest.mark.parametrize(
    ("vendor", "records", "one_at_a_time", "together"),
    [
        # three batches, each with its halves down to eighths
        ("gerosense", 40_000, 45, 15 * (3 + 15)),
        ("ptengine", 4_000, 45, 15 * (3 + 15)),
        ("thymia", 400, 100, 100 + 15),
    ],
)
def test_a_vendor_that_refuses_everything_stops_the_run(
    vendor: str, records: int, one_at_a_time: int, together: int, deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """After a bounded number of requests the fault is not a record's, and the source isn't drained (A4)."""
    for in_flight, most in ((1, one_at_a_time), (16, together)):
        sandbox.reset()
        sandbox.vendors[vendor].script("400 x99999")

        ended = deliver(vendor, rows(vendor, records), max_in_flight=in_flight, attempt=f"{in_flight}-x")

        assert isinstance(ended.error, RefusedError)
        assert "(A4)" in str(ended.error)
        assert sandbox.vendors[vendor].counts.requests <= most
        assert ended.report.rejected + ended.report.held == ended.report.read <= records
        if in_flight == 1:
            assert sandbox.vendors[vendor].counts.requests == most


def test_an_acceptance_between_refusals_keeps_the_run_going(
    refuse: Refuse, deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """Uploads that are refused again and again don't stop a run in which others are accepted."""
    refuse("thymia", *[f"geheim-{number}" for number in range(500) if number % 50])

    ended = deliver("thymia", rows("thymia", 500), max_in_flight=1)

    assert (ended.error, ended.report.rejected, ended.report.delivered) == (None, 490, 10)


def test_halving_has_a_budget_for_the_whole_run(
    refuse: Refuse, deliver: Deliver, rows: Rows, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is used up, what is refused is rejected whole, and the run goes on."""
    monkeypatch.setattr(bisection, "EXTRA_REQUESTS", 20)
    refuse("ptengine", *[f"geheim-{number}" for number in range(0, 2_000, 200)])

    ended = deliver("ptengine", rows("ptengine", 2_000), max_in_flight=1)

    assert ended.report.requests <= 20 + 20
    assert ended.error is None
    assert ended.report.rejected + ended.report.delivered == 2_000
    assert ended.report.delivered >= 1_000
    assert sandbox.ptengine.counts.distinct == ended.report.delivered


@pytest.mark.parametrize("good", range(8))
def test_where_only_one_part_is_good_it_does_not_matter_which(
    good: int, refuse: Refuse, deliver: Deliver, rows: Rows
) -> None:
    """A batch with a fault in seven of its eighths loses as little, wherever the good eighth stands (P11)."""
    bad = [part * 10 + 5 for part in range(8) if part != good]
    refuse("ptengine", *[f"geheim-{number}" for number in bad])

    ended = deliver("ptengine", rows("ptengine", 80))

    assert ended.report.rejected == 7


def test_what_a_vendor_said_of_a_record_stands_in_the_private_file_only(
    refuse: Refuse, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """A refusal's words may repeat the record: they go into the rejects file, and nowhere else (A6)."""
    refuse("thymia", "geheim-0")

    ended = deliver("thymia", rows("thymia", 1))

    assert "geheim is not to our liking" in lines(ended.report.rejects)[0]["reason"]
