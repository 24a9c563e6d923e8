"""GeroSense takes 3 to 1000 samples a request, whatever number of them there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]


def sizes_of(sandbox: Sandbox) -> list[int]:
    """Give the number of samples of each request, in order of arrival."""
    return [len(json.loads(request.body)["data"]) for request in sandbox.gerosense.requests]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, []),
        (2, []),
        (3, [3]),
        (999, [999]),
        (1000, [1000]),
        (1001, [501, 500]),
        (1002, [501, 501]),
        (1003, [1000, 3]),
        (2000, [1000, 1000]),
        (2001, [1000, 501, 500]),
        (2002, [1000, 501, 501]),
        (2003, [1000, 1000, 3]),
    ],
)
def test_no_request_has_a_tail_of_one_or_two(
    count: int, sizes: list[int], sandbox: Sandbox, deliver: Deliver, rows: Rows
) -> None:
    """The last two requests are evened out, and their number stays the smallest possible (G3)."""
    ended = deliver("gerosense", rows("gerosense", count), max_in_flight=1)

    assert ended.error is None
    assert sizes_of(sandbox) == sizes
    assert ended.report.delivered == sum(sizes)
    assert ended.report.held == count - sum(sizes)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_samples_are_held_whole(
    count: int, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """Fewer than three samples are neither sent nor dropped (G4)."""
    samples = rows("gerosense", count)

    ended = deliver("gerosense", samples)

    held = lines(ended.report.rejects)
    assert [(line["fate"], line["rule"], line["record"]) for line in held] == [("held", "G4", one) for one in samples]
    assert sandbox.gerosense.counts.requests == 0


@pytest.mark.parametrize("valid", [0, 2, 3, 999, 1001, 2002])
def test_what_is_invalid_counts_for_no_request(
    valid: int, sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """Rejects between the samples change neither the sizes of requests nor anybody's position."""
    samples = rows("gerosense", valid)
    mixed: list[dict[str, Any]] = []
    for place, sample in enumerate(samples):
        mixed.append(sample)
        if place % 7 == 0:
            mixed.append({**sample, "value": 30001})
    mixed.append({**rows("gerosense", 1)[0], "start_date": "2023-11-01 08:04"})
    bad = len(mixed) - valid

    ended = deliver("gerosense", mixed, max_in_flight=1)

    assert ended.report.rejected == bad
    assert ended.report.delivered == (valid if valid >= 3 else 0)
    assert all(3 <= size <= 1000 for size in sizes_of(sandbox))
    assert len(sizes_of(sandbox)) == (-(-valid // 1000) if valid >= 3 else 0)
    rejected = [line for line in lines(ended.report.rejects) if line["fate"] == "rejected"]
    assert [mixed[line["position"]] for line in rejected] == [line["record"] for line in rejected]
    assert {line["rule"] for line in rejected} <= {"G8", "G7"}
    assert ended.first_fault == ("position 1, $.value, rule G8" if valid else "position 0, $.start_date, rule G7")


def test_a_batch_that_was_only_partly_accepted_is_unknown(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """A 207 proves nothing about any one sample: all stay whole with the answer, and none is sent again (G11)."""
    sandbox.gerosense.script("207 body='{\"accepted\": 3}'")
    samples = rows("gerosense", 6)

    ended = deliver("gerosense", samples, max_in_flight=1)

    found = lines(ended.report.rejects)
    assert (ended.error, ended.report.unknown, ended.report.delivered) == (None, 6, 0)
    assert [line["record"] for line in found] == samples
    assert {(line["rule"], line["fate"], line["status"]) for line in found} == {("G11", "unknown", 207)}
    assert all('{"accepted": 3}' in line["reason"] for line in found)
    assert sandbox.gerosense.counts.requests == 1


def test_only_checking_sends_nothing(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """With `validate_only`, the valid are counted, the others are rejected, and the vendor hears nothing."""
    samples = [*rows("gerosense", 1_500), {"value": 1}]

    ended = deliver("gerosense", samples, validate_only=True)

    assert (ended.error, ended.report.valid, ended.report.rejected) == (None, 1_500, 1)
    assert (ended.report.read, ended.report.held, ended.report.would_send) == (1_501, 0, 2)
    assert list(ended.report.reasons.values()) == [1]


def test_the_first_request_is_shown_without_values(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """With `validate_only`: its address, its size and the contract's own field names, and nothing of a record."""
    ended = deliver("gerosense", rows("gerosense", 5), validate_only=True)

    assert ended.first_request is not None
    head, _, body = ended.first_request.partition("\n")
    assert head.startswith("POST /api/v1.1/samples, ")
    assert '"device_name": "<text>"' in body
    assert '"data_type": "<text>"' in body
    assert "<name" not in body
    assert "… and 3 more" in body
    assert not {str(value) for row in rows("gerosense", 5) for value in row.values()} & set(body.split('"'))


def test_too_few_samples_are_held_by_a_check_too(
    sandbox: Sandbox, deliver: Deliver, rows: Rows, lines: JsonLines
) -> None:
    """As a run would hold them; but nothing is kept for the next run."""
    ended = deliver("gerosense", rows("gerosense", 2), validate_only=True)

    assert (ended.report.valid, ended.report.held, ended.report.would_send) == (0, 2, 0)
    assert {line["rule"] for line in lines(ended.report.rejects)} == {"G4"}
    assert sandbox.gerosense.counts.requests == 0


def test_fields_take_the_named_columns_only(sandbox: Sandbox, deliver: Deliver, rows: Rows) -> None:
    """With `fields`, other columns of a row never leave, and names are the contract's (A5)."""
    fields = {"device_name": "phone", "start_date": "begun", "unit": "per", "value": "steps"}
    rest = {"end_date": "done"}
    samples = rows("gerosense", 3)
    table = [{fields[name]: value for name, value in one.items()} | {"secret": "geheim"} for one in samples]

    ended = deliver("gerosense", table, fields=fields | rest)

    assert ended.report.delivered == 3
    assert sandbox.gerosense.arrived() == [{"data_type": "steps", **one} for one in samples]
