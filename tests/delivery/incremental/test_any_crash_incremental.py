"""Any runs of one stream, crashing anywhere: what the ledger says, the vendor has; or the ledger doesn't say."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.recording.append_log import LocalLog
from airflow_provider_userdata.delivery.recording.attempt_files import AttemptFiles
from airflow_provider_userdata.delivery.resuming import checkpoint_writer
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.ledger import SqlLedger, Stream
from airflow_provider_userdata.sandbox import Sandbox
from tests.doubles import Chunks, Crash, MemoryStore, Steps, crashes

SECRET = b"a secret of the tests' own"
FAULTS = ["ok", "ok", "ok", "400", "503", "cut after accepting", "200 without receipt"]
RECORDS: dict[str, Callable[[int, int], dict[str, Any]]] = {
    "thymia": lambda user, state: {"user": {"userLabel": f"geheim-{user}"}, "data": {"a": state}},
    "ptengine": lambda user, state: {"user_id": f"geheim-{user}", "plan": f"{state}"},
}


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Let every write be two steps: before it, and after it."""
    steps = Steps()

    def stepped(owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def called(*given: Any, **named: Any) -> Any:
            steps()
            result = function(*given, **named)
            steps()
            return result

        monkeypatch.setattr(owner, name, called)

    for owner, name in (
        (LocalLog, "append"),
        (AttemptFiles, "flush"),
        (SqlLedger, "mark_delivered"),
        (SqlLedger, "sift"),
    ):
        stepped(owner, name)
    monkeypatch.setattr(checkpoint_writer, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(asyncio, "run", crashes.run)
    return steps


RUN = st.fixed_dictionaries(
    {
        "rows": st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=25),
        "size": st.integers(1, 12),
        "in_flight": st.integers(1, 4),
        "crashes": st.lists(st.integers(1, 60), max_size=3),
        "faults": st.lists(st.sampled_from(FAULTS), max_size=6),
        "finishes": st.booleans(),
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("vendor", RECORDS)
def test_the_ledger_never_says_what_the_vendor_does_not_have(  # noqa: C901  # a model has its parts
    vendor: str, examples: int, step: Steps, plan: Callable[..., Plan], sandbox: Sandbox
) -> None:
    """After each attempt of each run; and a last run without faults leaves the vendor with what the source has."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(runs=st.lists(RUN, min_size=1, max_size=3))
    def check(runs: list[dict[str, Any]]) -> None:
        sandbox.reset()
        with tempfile.TemporaryDirectory() as folder:
            for number, one in enumerate(runs):
                deliver(one, f"{number}", Path(folder))
            step.left = 10**9
            sandbox.vendors[vendor].clear_faults()
            rows = runs[0]["rows"]
            ended = attempt({"rows": rows, "size": 10, "in_flight": 2}, "last", Path(folder), 0, None)
            assert ended.error is None
            assert ended.report.delivered + ended.report.unchanged == len(rows)
            known(Path(folder))
            has_all(rows)

    def has_all(rows: list[tuple[int, int]]) -> None:
        if vendor == "thymia":
            assert {(f"geheim-{user}", state) for user, state in rows} <= vendors_all()
            return
        last = vendors_last()
        assert all(last[f"geheim-{user}"] == f"{state}" for user, state in dict(rows).items())

    def deliver(one: dict[str, Any], name: str, folder: Path) -> None:
        store = MemoryStore()
        store.before_save, store.after_save = lambda _: step(), step
        sandbox.vendors[vendor].clear_faults()
        sandbox.vendors[vendor].script(*one["faults"])
        steps = [*one["crashes"], 10**9] if one["finishes"] else one["crashes"]
        for number, left in enumerate(steps):
            step.left = left
            with contextlib.suppress(Crash):
                attempt(one, name, folder, number, store)
            step.left = 10**9
            known(folder)

    def attempt(one: dict[str, Any], name: str, folder: Path, number: int, store: MemoryStore | None) -> Any:
        rows = [RECORDS[vendor](user, state) for user, state in one["rows"]]
        ledger = new_ledger(folder, name)
        planned = plan(
            vendor,
            Chunks(rows, one["size"]),
            attempt=f"{number}-x",
            output=folder / name,
            store=store,
            max_in_flight=one["in_flight"],
            ledger=ledger,
        )
        try:
            return Delivery(planned).run()
        finally:
            ledger.close()

    def new_ledger(folder: Path, name: str) -> SqlLedger:
        url = f"sqlite:///{folder}/ledger.db"
        return SqlLedger(url, Stream(vendor), keyed=vendor == "ptengine", run=name, secret=SECRET)

    def known(folder: Path) -> None:
        """See that the vendor has what a later run would take for unchanged."""
        ledger = new_ledger(folder, "looks")
        ledger.open()
        with ledger._database.reading() as connection:
            entries = connection.exec_driver_sql("SELECT key, fingerprint FROM userdata_ledger_entries").all()
        ledger._id = 0  # it has claimed nothing
        ledger.close()
        made = ledger.fingerprints
        entry: dict[bytes, bytes | None] = {bytes(key): said for key, said in entries}
        if vendor == "thymia":
            has = vendors_all()
            keys = {(user, state): thymia_key(made, user, state) for user in range(7) for state in range(3)}
            assert all((f"geheim-{user}", state) in has for (user, state), key in keys.items() if key in entry)
            return
        last = vendors_last()
        for user in range(7):
            said = entry.get(made.of_all_users([f"geheim-{user}"]))
            if said is not None:
                body = b'["user_id","plan"]["geheim-%d","%s"]' % (user, last[f"geheim-{user}"].encode())
                assert said == made.of_all([body + b"\n"])

    def thymia_key(made: Any, user: int, state: int) -> bytes:
        return bytes(made.of_all_users([f"geheim-{user}"])[:8] + made.of_all([b'{"a":%d}' % state])[8:])

    def vendors_all() -> set[tuple[str, int]]:
        return {(one["user"]["userLabel"], one["data"]["a"]) for one in sandbox.thymia.arrived()}

    def vendors_last() -> dict[str, str]:
        return {one["user_id"]: one["plan"] for one in sandbox.ptengine.arrived()}

    check()
