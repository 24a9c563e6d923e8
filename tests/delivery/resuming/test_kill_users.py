"""Deliveries of many users' samples that are killed: every sample has one fate, and few arrive twice (G14)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN

Killer = Any


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("few", [100_000, 8])
def test_users_are_mixed_and_the_delivery_is_killed_again_and_again(
    kills: int,
    few: int,
    incremental: bool,
    killer: Callable[..., Killer],
    rows: Callable[..., list[dict[str, Any]]],
    whole: Callable[..., None],
    new_database: Callable[[], str],
    sandbox: Sandbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of 40 users in any order, the token expiring meanwhile: all but at most two samples of each arrive.

    These are held: an attempt may begin with less than a request's fill of a user. Most of them may be in a file.
    """
    count, users = 30_000, 40
    chance = random.Random(f"{kills} {incremental} {few}")
    given = {"ledger": new_database(), "run": "1"} if incremental else {}
    delivery = killer("gerosense", count, latency=0.03, max_in_flight=2, login=LOGIN, few_in_memory=few, **given)
    samples = [{**row, "who": f"u{chance.randrange(users)}"} for row in rows("gerosense", count)]
    (tmp_path / "source.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    sandbox.gerosense.tokens.lasts = 9

    while not delivery.attempt(chance.uniform(0.05, 0.6) if delivery.kills < kills else None):
        pass

    report, counts = delivery.reports[-1], sandbox.gerosense.counts
    twice = counts.records - counts.distinct
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{delivery.kills} kills, {count} samples of {users} users, {report.held} held, {twice} sent "
            f"twice of {delivery.in_flight} allowed, {report.resent} counted as resent"
        )
    whole(report, count)
    assert (counts.distinct, report.delivered) == (count - report.held, count - report.held)
    assert report.held <= 2 * users
    assert twice <= min(delivery.in_flight, report.resent)
    arrived = Counter((sample["user_id"], sample["device_name"]) for sample in sandbox.gerosense.arrived())
    assert arrived.keys() <= {(sample["who"], sample["device_name"]) for sample in samples}
    for request in sandbox.gerosense.requests:
        assert request.accepted == 0 or 3 <= len(json.loads(request.body)["data"]) <= 1000
