"""Samples of many users who have too few for a request: most wait in files, and nothing tells that from memory (G4)."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.recording import spooled_lines
from airflow_provider_userdata.delivery.sending import Endpoint, few_records
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import UserColumns

HEADER = "uid,device_name,start_date,unit,value\n"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_each_users_samples_arrive_in_order(
    kind: str,
    deliver: Callable[..., Result],
    sandbox: Sandbox,
    lines: Callable[[str | None], list[dict[str, Any]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over three runs, each of which holds what is too few; the rejects have the rows as their file had them."""
    monkeypatch.setattr(few_records, "MOST_RECORDS", 7)
    monkeypatch.setattr(spooled_lines, "MOST_BYTES", 100)
    vendor = GeroSenseDirect(GeroSense("steps"), UserColumns("uid"))
    chance, wanted = random.Random(kind), defaultdict(list)
    reports = []
    for run in range(3):
        rows = []
        for number in range(150):
            row = {"uid": f"u{chance.randrange(90)}", "device_name": "geheim", "start_date": "2024-05-01T08:00:00Z"}
            rows.append({**row, "unit": "count/s", "value": 1 + 1000 * run + number})
            wanted[row["uid"]].append(rows[-1]["value"])
        source = tmp_path / f"{run}.{kind}"
        written = ",".join if kind == "csv" else None
        texts = [written(map(str, row.values())) if written else json.dumps(row) for row in rows]
        source.write_text((HEADER if kind == "csv" else "") + "".join(f"{text}\n" for text in texts))
        held = CarryOverFolder(tmp_path / "held", "steps", "us", f"run {run}")
        ended = deliver(
            vendor,
            str(source),
            endpoint=Endpoint(sandbox.url, {}, login=(LOGIN, sandbox.gerosense.key)),
            held=held,
            output=tmp_path / f"run {run}",
            max_in_flight=1,
        )
        assert ended.error is None
        reports.append(ended.report)
        assert all(line["record"]["device_name"] == "geheim" for line in lines(ended.report.rejects))

    arrived: dict[str, list[int]] = defaultdict(list)
    for one in sandbox.gerosense.arrived():
        arrived[one["user_id"]].append(one["value"])
    assert [report.read for report in reports] == [150, 150 + reports[0].held, 150 + reports[1].held]
    assert reports[0].held > 50
    assert sum(report.delivered for report in reports) + reports[2].held == 450
    assert {user: wanted[user][: len(values)] for user, values in arrived.items()} == arrived
    assert CarryOverFolder(tmp_path / "held", "steps", "us", "next").count() == reports[2].held
