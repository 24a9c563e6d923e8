"""A user's later row goes out only when the earlier one is settled, so that the last one wins (P8)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.batcher import Batch, GroupBatcher
from airflow_provider_userdata.records.record import Record
from airflow_provider_userdata.sandbox import Arrival, Sandbox

Deliver = Callable[..., Result]


def by_user(sandbox: Sandbox) -> dict[str, list[tuple[int, Arrival]]]:
    """Give each user's rows, as the number in the row and the request that carried it, in order of arrival."""
    found = defaultdict(list)
    for request in sandbox.ptengine.requests:
        body = json.loads(request.body)
        user, version = body["field_name"].index("user_id"), body["field_name"].index("version")
        for row in body["values"]:
            found[row[user]].append((int(row[version]), request))
    return found


def check_order(sandbox: Sandbox) -> None:
    """Check that no two requests about one user overlap, and that none goes back to an earlier row."""
    for sent in by_user(sandbox).values():
        for (earlier, before), (later, after) in pairwise(sent):
            assert earlier <= later
            assert not before.overlaps(after)


def test_a_user_stands_once_in_a_request(sandbox: Sandbox, deliver: Deliver) -> None:
    """Rows of one user that follow each other go in requests of their own, in their order."""
    users = [{"user_id": "geheim", "version": version} for version in range(5)]

    assert deliver("ptengine", users).report.delivered == 5

    assert [version for version, _ in by_user(sandbox)["geheim"]] == list(range(5))
    check_order(sandbox)


@pytest.mark.parametrize("returning", [1, 7, 40])
def test_requests_about_one_user_never_overlap(returning: int, sandbox: Sandbox, deliver: Deliver) -> None:
    """With many requests in flight, users who return wait for their own earlier rows only."""
    sandbox.ptengine.latency = 0.005
    users = [{"user_id": f"u{number % (50 * returning)}", "version": number} for number in range(2_000)]

    assert deliver("ptengine", users).report.delivered == 2_000

    check_order(sandbox)
    last = {user["user_id"]: user["version"] for user in users}
    arrived = {user["user_id"]: int(user["version"]) for user in sandbox.ptengine.arrived()}
    assert arrived == last


def test_a_later_row_waits_while_the_earlier_one_is_sent_again(sandbox: Sandbox, deliver: Deliver) -> None:
    """Also while requests fail and are sent again, the last row of a user arrives last."""
    sandbox.random_faults("ptengine", seed=5, chances={"503": 0.15, "429": 0.1, "cut after accepting": 0.15})
    users = [{"user_id": f"u{number * 7 % 150}", "version": number} for number in range(1_500)]

    assert deliver("ptengine", users, max_in_flight=8).report.delivered == 1_500

    check_order(sandbox)
    arrived = {user["user_id"]: int(user["version"]) for user in sandbox.ptengine.arrived()}
    assert arrived == {user["user_id"]: user["version"] for user in users}


def test_a_later_row_with_other_keys_waits_too(sandbox: Sandbox, deliver: Deliver) -> None:
    """Rows of one user with different sets of keys keep their order (P5, P8)."""
    sandbox.ptengine.latency = 0.005
    users = [{"user_id": f"u{number % 30}", "version": number, f"field{number % 7}": "geheim"} for number in range(900)]

    assert deliver("ptengine", users).report.delivered == 900

    check_order(sandbox)


def test_a_later_row_waits_while_the_earlier_ones_batch_is_halved(sandbox: Sandbox, deliver: Deliver) -> None:
    """Where a request is refused, the later row waits until the last half of it has its answer."""
    sandbox.ptengine.script("400 x3")
    users = [{"user_id": f"u{number}", "version": 0} for number in range(8)]
    users += [{"user_id": f"u{number}", "version": 1} for number in range(8)]

    assert deliver("ptengine", users).report.read == 16

    check_order(sandbox)


def test_a_user_who_comes_ten_thousand_times_does_not_pile_up(
    sandbox: Sandbox, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often one user returns, a bounded number of rows waits, and all go out in order."""
    most: Counter[str] = Counter()
    add = GroupBatcher.add

    def counted(made: GroupBatcher, records: Sequence[Record]) -> list[Batch]:
        batches = add(made, records)
        most["pending"] = max(most["pending"], len(made.pending))
        most["chunk"] = max(most["chunk"], len(records))
        return batches

    monkeypatch.setattr(GroupBatcher, "add", counted)
    users = ({"user_id": "geheim", "version": version} for version in range(10_000))

    assert deliver("ptengine", users).report.delivered == 10_000

    assert most["pending"] < 5_000
    assert most["chunk"] <= 5_000
    assert [user["version"] for user in sandbox.ptengine.arrived()] == [str(version) for version in range(10_000)]
