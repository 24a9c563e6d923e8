"""The uploads that the pages show in tests: one of every kind by hand, and many ordinary ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from airflow_provider_userdata.ui.rules import all_rules
from airflow_provider_userdata.upload_status import EarlierAttempt, UploadStatus, Waiting
from tests.ui.filling import Filled

ALL = 499
"""So many uploads are written, all of the last 30 days; with the one that runs for real, as many as the page shows."""
HIDDEN_DAG = "hidden_payroll"
"""The viewer may not see it."""
HIDDEN_KIND = "salaries"
CROWDED_DAG = "crowded_" + "by_a_very_long_name_" * 12
HOSTILE_DAG = "hostile"
HOSTILE = "<img src=x onerror=window.attacked=1><script>window.attacked=1</script>"
MARKDOWN = "[click](javascript:window.attacked=1) **bold**"
DISPLAY_NAMES = {HOSTILE_DAG: f"{HOSTILE} {MARKDOWN}"}
OPERATORS = {
    "thymia": "ThymiaUploadOperator",
    "gerosense": "GerosenseSamplesOperator",
    "ptengine": "PtengineProfilesOperator",
}
KINDS = {"thymia": ("mood", "sleep_diary"), "gerosense": ("steps", "bpm"), "ptengine": ("",)}
RULES = {"thymia": ("T6", "T8", "T10"), "gerosense": ("G8", "G6", "G12"), "ptengine": ("P3", "P4", "P10")}


@dataclass(frozen=True)
class Cast:
    """The uploads that tests look for by name."""

    running: Filled
    silent: Filled
    waiting: Filled
    green: Filled
    with_rejects: Filled
    red: Filled
    red_for_rejects: Filled
    crowded: Filled
    starting_over: Filled
    retrying: Filled
    mapped: Filled
    held: Filled
    empty: Filled
    hostile: Filled
    hidden: Filled
    garbage: Filled

    def all(self) -> list[Filled]:
        """Return them in order."""
        return list(vars(self).values())


def cast(now: datetime) -> Cast:
    """Return one upload of every kind, of the last hours."""
    early, late = now - timedelta(hours=2), now - timedelta(minutes=90)
    green = _filled("thymia", "thymia_daily_1", early, late, read=120_000, delivered=120_000, total=120_000)
    red = _filled("ptengine", "ptengine_daily_1", early, late, "failed", read=9_000, delivered=4_100, refused=900)
    return Cast(
        running=running(now),
        silent=replace(running(early), dag_id="gerosense_daily_2", run_id="silent"),
        waiting=_waiting(now),
        green=green,
        with_rejects=_with_rejects(early, late),
        red=_told(red, state="failed", error="VendorDownError"),
        red_for_rejects=_red_for_rejects(early, late),
        crowded=_crowded(early, late),
        starting_over=_starting_over(early, now),
        retrying=_retrying(early, now),
        mapped=replace(green, dag_id="thymia_daily_3", run_id="mapped", map_index=7, map_label="eu/2026-11-30.csv"),
        held=_filled("gerosense", "gerosense_daily_3", early, late, read=1_002, delivered=1_000, held=2),
        empty=_filled("ptengine", "ptengine_daily_3", early, late),
        hostile=_hostile(early, late),
        hidden=_told(replace(green, dag_id=HIDDEN_DAG), kind=HIDDEN_KIND, delivered=77_777, read=77_777),
        garbage=replace(
            green, dag_id="thymia_daily_2", run_id="garbage", shown={"v": 1, "vendor": ["<b>"], "state": 3}
        ),
    )


def running(now: datetime) -> Filled:
    """Return an upload that runs, as of a moment."""
    started = now - timedelta(seconds=100)
    rate = [(float(second), 400 * second) for second in range(0, 101, 5)]
    one = _filled(
        "gerosense", "gerosense_daily_1", started, None, "running", read=41_000, delivered=40_000, total=90_000
    )
    return _told(
        replace(one, run_id="running"), updated=now, in_flight=12, max_in_flight=16, retries=3, rate=rate,
        requests={"2xx": 40, "429": 2, "5xx": 1}, seconds=100.0, seconds_left=125.0,
    )  # fmt: skip


def ordinary(now: datetime, count: int) -> Iterator[Filled]:
    """Return many uploads, spread over the last 28 days, a few of them with rejects, a few failed."""
    for number in range(count):
        vendor = ("thymia", "gerosense", "ptengine")[number % 3]
        started = now - timedelta(hours=3) - timedelta(days=28) * (number / count)
        read = 1_000 + 137 * (number % 97)
        refused, invalid = (number % 40, number % 7) if number % 5 == 0 else (0, 0)
        state = "failed" if number % 23 == 0 else "success"
        delivered = read - refused - invalid
        ended = started + timedelta(seconds=30 + number % 300)
        dag_id, counts = f"{vendor}_daily_{number // 3 % 6 + 1}", {"read": read, "delivered": delivered}
        one = _filled(vendor, dag_id, started, ended, state, **counts, refused=refused, invalid=invalid)
        yield replace(one, run_id=f"scheduled__{number}")


def uploads(now: datetime) -> list[Filled]:
    """Return all that is written: the cast, other hidden ones, and ordinary ones."""
    named = cast(now)
    hidden = [replace(named.hidden, run_id=f"hidden__{number}") for number in range(9)]
    return [*named.all(), *hidden, *ordinary(now, ALL - len(named.all()) - len(hidden))]


def names(now: datetime) -> list[str]:
    """Return the DAGs of all that is written."""
    return sorted({one.dag_id for one in uploads(now)})


def _filled(
    vendor: str, dag_id: str, started: datetime, ended: datetime | None, state: str = "success", **counts: Any
) -> Filled:
    invalid, refused = counts.get("invalid", 0), counts.get("refused", 0)
    last = ended or started
    reasons = {rule: count for rule, count in zip(RULES[vendor], (invalid, 0, refused), strict=True) if count}
    shown = UploadStatus(
        vendor=vendor,
        kind=KINDS[vendor][started.minute % len(KINDS[vendor])],
        conn_id=f"{vendor}_default",
        state="failed" if state == "failed" else "done" if ended else "delivering",
        started=started,
        updated=last,
        seconds=(last - started).total_seconds(),
        rejected=invalid + refused,
        reasons=reasons,
        requests={"2xx": counts.get("delivered", 0) // 100 + 1},
        **counts,
    )
    return Filled(
        dag_id=dag_id,
        run_id="cast",
        state=state,
        started=started,
        ended=ended,
        operator=OPERATORS[vendor],
        shown=shown.as_dict(),
    )


def _told(one: Filled, **changes: Any) -> Filled:
    """Return an upload that says something else of itself."""
    status = msgspec.structs.replace(msgspec.convert(one.shown, UploadStatus), **changes)
    return replace(one, shown=status.as_dict())


def _waiting(now: datetime) -> Filled:
    one = _filled(
        "gerosense", "gerosense_daily_2", now - timedelta(minutes=9), None, "deferred", read=600, delivered=500
    )
    until = now + timedelta(hours=6)
    return _told(
        replace(one, run_id="waiting"),
        state="deferred",
        updated=now,
        waiting=Waiting("maintenance", until),
        in_flight=0,
    )


def _with_rejects(early: datetime, late: datetime) -> Filled:
    one = _filled(
        "thymia", "thymia_daily_2", early, late, read=50_000, delivered=49_000, total=50_000, invalid=700, refused=250,
        unknown=50,
    )  # fmt: skip
    faults = {"T6 $.user.userLabel is missing": 400, "T8 $.data.email contains an e-mail address": 300}
    reasons = {"T6": 400, "T8": 300, "T10": 250, "A3": 50}
    rate = [(float(second), 9 * second) for second in range(0, 1801, 15)][:120]
    return _told(one, reasons=reasons, faults=faults, requests={"2xx": 49_000, "4xx": 250, "none": 50}, rate=rate)


def _red_for_rejects(early: datetime, late: datetime) -> Filled:
    one = _filled(
        "gerosense", "gerosense_daily_4", early, late, "failed", read=6_000, delivered=5_986, invalid=12, held=2
    )
    return _told(one, state="rejected", error="RejectsError", faults={"G8 $.unit is missing": 12})


def _crowded(early: datetime, late: datetime) -> Filled:
    """Return an upload with as many rules and as long names as there can be."""
    rules = dict.fromkeys([*all_rules()][:40], 25)
    faults = {f"{rule} $.{'nested_' * 20}field is missing": 5 for rule in [*rules][:5]}
    one = _filled("thymia", CROWDED_DAG, early, late, "failed", read=50_000, delivered=49_000, invalid=1_000)
    told = _told(one, state="rejected", error="RejectsError", reasons=rules, faults=faults, label="s3://bucket/" * 20)
    return replace(told, task_id="group_of_tasks." * 12 + "upload")


def _starting_over(early: datetime, now: datetime) -> Filled:
    one = replace(_retrying(early, now), dag_id="ptengine_daily_4", run_id="starting over")
    return _told(one, resume=False)


def _retrying(early: datetime, now: datetime) -> Filled:
    one = _filled("ptengine", "ptengine_daily_2", early, now, "up_for_retry", read=9_000, delivered=5_000)
    attempts = [EarlierAttempt(1, 1_000, early), EarlierAttempt(2, 3_000, early + timedelta(minutes=30))]
    told = _told(one, state="failed", error="VendorDownError", attempt=3, attempts=attempts)
    return replace(told, try_number=3, max_tries=5)


def _hostile(early: datetime, late: datetime) -> Filled:
    one = _filled("thymia", HOSTILE_DAG, early, late, read=10, delivered=4, invalid=6)
    told = _told(
        one,
        kind=f"{HOSTILE} {MARKDOWN}",
        label=HOSTILE,
        conn_id=HOSTILE,
        error=HOSTILE,
        reasons={HOSTILE: 3, MARKDOWN: 2, "T8": 1},
        faults={f"T8 {HOSTILE}": 3, f"T8 {MARKDOWN}": 2},
    )
    return replace(told, run_id=f"manual__{HOSTILE}", map_label=f"{HOSTILE} {MARKDOWN}", map_index=0)
