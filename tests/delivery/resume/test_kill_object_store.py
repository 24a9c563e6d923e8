"""Deliveries whose files lie on an S3 server, in processes that are killed at any instant."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.sandbox import Sandbox


@pytest.mark.parametrize("on_doubt", ["resend", "hold"])
@pytest.mark.parametrize(("vendor", "count", "latency"), [("thymia", 400, 0.02), ("gerosense", 60_000, 0.1)])
def test_a_delivery_to_an_object_store_that_is_killed_again_and_again(
    vendor: str,
    count: int,
    latency: float,
    on_doubt: str,
    killer: Callable[..., Any],
    sandbox: Sandbox,
    s3: dict[str, Any],
    bucket: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What arrived twice is never more than what is counted, and nothing where it mustn't: each record has its fate."""
    chance = random.Random(f"{vendor} {on_doubt}")
    delivery = killer(
        vendor, count, latency=latency, folder=str(bucket / "run"), s3=s3, save_seconds=1.0, on_doubt=on_doubt
    )
    while delivery.kills < 4:
        if delivery.attempt(chance.uniform(0.05, 1.5)):
            break
    else:
        assert delivery.attempt()

    report, counts = delivery.reports[-1], sandbox.vendors[vendor].counts
    twice = counts.records - counts.distinct
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{vendor} {on_doubt}: {delivery.kills} kills, {count} records, {twice} sent twice, "
            f"{report.resent} counted as resent, {report.unknown} unknown"
        )
    assert report.read == report.delivered + report.unknown == count
    assert twice <= report.resent
    if on_doubt == "hold":
        assert (twice, report.resent) == (0, 0)
        assert report.delivered <= counts.distinct
    else:
        assert counts.distinct == report.delivered == count
