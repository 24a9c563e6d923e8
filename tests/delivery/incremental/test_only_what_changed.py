"""A second run sends what the vendor doesn't have yet, and says of the rest that it is unchanged."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.errors import LaterError, RejectsError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.reading import ContractBreach

Run = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
Marked = Callable[[str], int]
Refuse = Callable[..., None]


@pytest.fixture
def refuse(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Let Ptengine refuse every request with one of some users, and no other: ``refuse("17")``."""
    check = sandbox.ptengine.check

    def refusing(*bad: str) -> None:
        def checked(request: Any, body: bytes) -> list[dict[str, Any]]:
            if any(f'["{name}"'.encode() in body for name in bad):
                raise ContractBreach("P10", ("values",), "is not to our liking")
            return check(request, body)

        monkeypatch.setattr(sandbox.ptengine, "check", checked)

    return refusing


def counts(ended: Result) -> dict[str, int]:
    """Return the fates that any records have."""
    fates = ("delivered", "rejected", "held", "unchanged", "unknown", "valid")
    return {fate: count for fate in fates if (count := getattr(ended.report, fate))}


@pytest.mark.slow
def test_one_user_in_a_hundred_changed(run: Run, rows: Rows, sandbox: Sandbox, tmp_path: Path) -> None:
    """Of 100,000 users 1,000 are sent, in 10 requests."""
    users = [{"user_id": f"geheim-{number}", "plan": "free"} for number in range(100_000)]
    source = tmp_path / "users.jsonl"
    source.write_text("".join(json.dumps(user) + "\n" for user in users))
    assert counts(run("ptengine", source, "1")) == {"delivered": 100_000}
    sandbox.reset()
    for user in random.Random(1).sample(users, 1_000):
        user["plan"] = "pro"
    source.write_text("".join(json.dumps(user) + "\n" for user in users))

    second = run("ptengine", source, "2")

    assert counts(second) == {"delivered": 1_000, "unchanged": 99_000}
    assert (second.report.requests, sandbox.ptengine.counts.requests, sandbox.ptengine.counts.records) == (10, 10, 1000)
    assert all(user["plan"] == "pro" for user in sandbox.ptengine.arrived())


def test_what_a_slow_source_gave_is_sent_before_it_gives_more(run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """While a source keeps an incremental run waiting, what it gave before is looked up, sent and proven."""
    arrived: list[int] = []
    records = rows("thymia", 6)

    class Slow:
        total = None

        def chunks(self) -> Iterator[Chunk]:
            for start in range(0, 6, 2):
                yield Chunk(RowFormat.OBJECTS, records[start : start + 2])
                deadline = time.monotonic() + 10
                while sandbox.thymia.counts.records < start + 2 and time.monotonic() < deadline:
                    time.sleep(0.005)
                arrived.append(sandbox.thymia.counts.records)

    assert counts(run("thymia", Slow())) == {"delivered": 6}
    assert arrived == [2, 4, 6]


@pytest.mark.slow
def test_samples_that_arrive_late(run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """Each new one is sent, however old it is, and no old one."""
    samples = rows("gerosense", 40_000)
    chance = random.Random(1)
    late = set(chance.sample(range(38_000), 2_000))
    assert counts(run("gerosense", [one for number, one in enumerate(samples[:38_000]) if number not in late])) == {
        "delivered": 36_000
    }
    sandbox.reset()

    second = run("gerosense", samples, "2")

    assert counts(second) == {"delivered": 4_000, "unchanged": 36_000}
    expected = [one["device_name"] for number, one in enumerate(samples) if number in late or number >= 38_000]
    assert sorted(one["device_name"] for one in sandbox.gerosense.arrived()) == sorted(expected)
    assert counts(run("gerosense", samples, "3")) == {"unchanged": 40_000}


@pytest.mark.parametrize(("vendor", "count"), [("thymia", 30), ("gerosense", 2_100), ("ptengine", 250)])
def test_the_same_again_sends_nothing(vendor: str, count: int, run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """Whatever form the source has it in, and in whatever order."""
    records = rows(vendor, count)
    assert counts(run(vendor, records)) == {"delivered": count}
    requests = sandbox.vendors[vendor].counts.requests
    turned = [dict(reversed(record.items())) for record in reversed(records)]
    again = run(vendor, turned, "2")
    assert counts(again) == {"unchanged": count}
    assert again.report.rejects is None
    assert sandbox.vendors[vendor].counts.requests == requests


def test_a_change_back_is_a_change(run: Run, sandbox: Sandbox) -> None:
    """The ledger keeps what the vendor has now, not what it ever had."""
    for name, plan in enumerate(("free", "pro", "free")):
        assert counts(run("ptengine", [{"user_id": "1", "plan": plan}], f"{name}")) == {"delivered": 1}
    assert [user["plan"] for user in sandbox.ptengine.arrived()] == ["free", "pro", "free"]


@pytest.mark.parametrize("script", ["400", "207"])
def test_what_was_refused_or_is_unknown_is_not_marked(
    script: str, run: Run, rows: Rows, sandbox: Sandbox, marked: Marked
) -> None:
    """The next run sends it again."""
    sandbox.gerosense.script(f"{script} x200")
    first = run("gerosense", rows("gerosense", 30))
    assert first.report.delivered == 0
    assert marked("gerosense") == 0
    sandbox.reset()
    assert counts(run("gerosense", rows("gerosense", 30), "2")) == {"delivered": 30}


def test_some_users_are_refused(run: Run, sandbox: Sandbox, marked: Marked, refuse: Refuse) -> None:
    """Those beside them in the request are marked, and only those."""
    users = [{"user_id": str(number), "plan": "free"} for number in range(100)]
    refuse("17", "40")
    first = run("ptengine", users, max_rejected=0)
    assert isinstance(first.error, RejectsError)
    assert counts(first) == {"delivered": 98, "rejected": 2}
    assert marked("ptengine") == 98
    refuse()
    assert counts(run("ptengine", users, "2")) == {"delivered": 2, "unchanged": 98}


@pytest.mark.parametrize("vendor", ["thymia", "gerosense", "ptengine"])
def test_records_that_stand_twice_are_sent_once(vendor: str, run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """In one batch, or far apart; the others are unchanged."""
    records = rows(vendor, 25 if vendor == "thymia" else 1_300)
    ended = run(vendor, [*records, *records[:20], *records])
    assert counts(ended) == {"delivered": len(records), "unchanged": len(records) + 20}
    assert sandbox.vendors[vendor].counts.records == len(records)


def test_many_records_alike(run: Run, sandbox: Sandbox) -> None:
    """Take no longer than others."""
    user = {"user_id": "1", "plan": "free"}
    assert counts(run("ptengine", [user] * 50_000)) == {"delivered": 1, "unchanged": 49_999}


def test_a_user_who_changes_to_and_fro_within_a_run(run: Run, sandbox: Sandbox) -> None:
    """Each change is sent, and the last one counts."""
    states = [{"user_id": "1", "plan": plan} for plan in "ABAABBA"]
    others = [{"user_id": f"other {number}", "plan": "A"} for number in range(300)]
    ended = run("ptengine", [*states, *others, *states])
    assert ended.error is None
    sent = [user["plan"] for user in sandbox.ptengine.arrived() if user["user_id"] == "1"]
    assert sent[-1] == "A"
    assert "".join(sent).replace("AA", "A").replace("BB", "B") == "".join(sent)
    assert counts(run("ptengine", states[-1:], "2")) == {"unchanged": 1}
    assert counts(run("ptengine", states[1:2], "3")) == {"delivered": 1}


def test_duplicates_share_the_fate_of_a_refused_one(run: Run, refuse: Refuse) -> None:
    """Each of them stands in the rejects."""
    user = {"user_id": "1", "plan": "free"}
    refuse("1")
    ended = run("ptengine", [user] * 5)
    assert counts(ended) == {"rejected": 5}
    lines = [json.loads(line) for line in Path(ended.report.rejects or "").read_bytes().splitlines()]
    assert sorted(line["position"] for line in lines) == [0, 1, 2, 3, 4]


def test_duplicates_of_what_was_held(run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """Are held with it, once each, where the vendor is down."""
    sandbox.ptengine.script("503 x1000")
    records = rows("ptengine", 250)
    ended = run("ptengine", [*records, *records])
    assert isinstance(ended.error, VendorDownError)
    assert counts(ended) == {"held": 500}
    sandbox.reset()
    assert counts(run("ptengine", [*records, *records], "2")) == {"delivered": 250, "unchanged": 250}


def test_a_run_that_comes_back_later(run: Run, rows: Rows, sandbox: Sandbox) -> None:
    """What was delivered before the pause is marked."""
    sandbox.ptengine.script("200 x2", "503 retry-after=600 x100")
    ended = run("ptengine", rows("ptengine", 500), max_in_flight=1, patience=Patience(longest_sleep=60.0))
    assert isinstance(ended.error, LaterError)
    assert counts(ended) == {"delivered": 200, "held": 300}
    sandbox.reset()
    assert counts(run("ptengine", rows("ptengine", 500), "1")) == {"delivered": 300, "unchanged": 200}


def test_too_few_samples_to_be_sent(run: Run, rows: Rows, sandbox: Sandbox, marked: Marked) -> None:
    """Of a source with two new ones, none is marked, and the old ones don't go along."""
    assert counts(run("gerosense", rows("gerosense", 10))) == {"delivered": 10}
    assert counts(run("gerosense", rows("gerosense", 12), "2")) == {"held": 2, "unchanged": 10}
    assert marked("gerosense") == 10


def test_only_checked(run: Run, rows: Rows, database: str, sandbox: Sandbox) -> None:
    """With validate_only no ledger is opened: nothing is sent, so nothing is looked up."""

    class NoLedger:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(name)

    ended = run("ptengine", rows("ptengine", 10), validate_only=True, ledger=NoLedger())
    assert (ended.error, counts(ended)) == (None, {"valid": 10})


def test_the_most_recent_sample_of_each_device(run: Run, sandbox: Sandbox) -> None:
    """By the instant, not by the text; only what was delivered counts."""
    times = ["2024-05-01T08:00:00Z", "2024-05-01T12:00:00+09:00", "2024-05-01T07:59:59.5Z"]
    samples = [
        {"device_name": device, "start_date": time, "unit": "count", "value": value}
        for value, device in enumerate(("ring", "watch"), start=1)
        for time in times[value - 1 :]
    ]
    first = run("gerosense", samples)
    assert first.recent == {"ring": "2024-05-01T08:00:00Z", "watch": "2024-05-01T07:59:59.5Z"}
    assert run("gerosense", samples, "2").recent == {}


def test_nobody_asks_for_the_most_recent_samples(run: Run, rows: Rows) -> None:
    """They are not looked for."""
    ended = run("gerosense", rows("gerosense", 5), shows_recent=False)
    assert (counts(ended), ended.recent) == ({"delivered": 5}, {})
