"""Frames and Parquet files to each vendor: what goes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.thymia import Thymia

Deliver = Callable[..., Result]
Lines = Callable[[str | None], list[dict[str, Any]]]
SECRET = "geheim"
ROWS: dict[str, list[dict[str, Any]]] = {
    "gerosense": [
        {"device_name": SECRET, "start_date": None, "end_date": None, "unit": "count", "value": 1 + number}
        for number in range(5)
    ],
    "ptengine": [{"user_id": f"{SECRET}-{number}", "plan": SECRET, "since": None, "paid": None} for number in range(5)],
    "thymia": [{"label": f"{SECRET}-{number}", "notes": [SECRET], "at": {"day": None}} for number in range(5)],
}
START = pd.Timestamp("2024-05-01T08:00:00.123+09:00").tz_convert("Asia/Tokyo")


def table_of(vendor: str) -> pa.Table:
    """Return rows that are due to a vendor, with types that its contract hasn't."""
    table = pa.Table.from_pylist(ROWS[vendor])
    moments = pa.array([START + pd.Timedelta(seconds=number) for number in range(5)], pa.timestamp("ns", "Asia/Tokyo"))
    if vendor == "gerosense":
        return table.set_column(1, "start_date", moments).set_column(2, "end_date", moments)
    if vendor == "ptengine":
        money = pa.array(["1.10", None, "0.00", "12345678901234567890.99", "2"]).cast(pa.decimal128(38, 2))
        return table.set_column(2, "since", moments.cast(pa.date32(), safe=False)).set_column(3, "paid", money)
    return table.set_column(2, "at", pa.StructArray.from_arrays([moments], ["day"]))


def sent(sandbox: Sandbox, vendor: str) -> list[Any]:
    """Return the records that arrived, in order."""
    found: list[Any] = []
    for body in (json.loads(request.body) for request in sandbox.vendors[vendor].requests):
        if vendor == "gerosense":
            found += body["data"]
        elif vendor == "ptengine":
            found += [dict(zip(body["field_name"], values, strict=True)) for values in body["values"]]
        else:
            found.append(body)
    return found


def wanted(vendor: str) -> list[Any]:
    """Return the records as they should arrive."""
    moments = [f"2024-05-01T08:00:0{number}.123+09:00" for number in range(5)]
    if vendor == "gerosense":
        return [
            {**row, "start_date": moment, "end_date": moment} for row, moment in zip(ROWS[vendor], moments, strict=True)
        ]
    if vendor == "ptengine":
        paid = ["1.10", "", "0.00", "12345678901234567890.99", "2.00"]
        days = ["2024-05-01"] * 5
        return [{**row, "since": day, "paid": text} for row, day, text in zip(ROWS[vendor], days, paid, strict=True)]
    return [
        {"user": {"userLabel": row["label"]}, "data": {"notes": row["notes"], "at": {"day": moment}}}
        for row, moment in zip(ROWS[vendor], moments, strict=True)
    ]


@pytest.mark.parametrize("vendor", ROWS)
@pytest.mark.parametrize("kind", ["table", "pandas", "polars", "duckdb", "parquet"])
def test_each_value_arrives(kind: str, vendor: str, sandbox: Sandbox, deliver: Deliver, tmp_path: Path) -> None:
    """Times with their offset, decimals with all digits, and nulls as the contract says."""
    table = table_of(vendor)
    pq.write_table(table, tmp_path / "x.parquet")
    kinds: dict[str, Callable[[], Any]] = {
        "table": lambda: table,
        "pandas": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": lambda: pl.from_arrow(table),
        "duckdb": lambda: duckdb.from_arrow(table),
        "parquet": lambda: tmp_path / "x.parquet",
    }
    to = Thymia("mood", user_label="label") if vendor == "thymia" else vendor

    ended = deliver(to, kinds[kind](), max_in_flight=1)

    assert (ended.error, ended.report.rejected, ended.report.delivered) == (None, 0, 5)
    assert [typed(vendor, record) for record in sent(sandbox, vendor)] == [
        typed(vendor, record) for record in wanted(vendor)
    ]


def typed(vendor: str, record: Any) -> Any:
    """Return a record with its times as instants: DuckDB's are of the session's zone, not of the column's."""
    text = json.dumps(record)
    for number in range(5):
        for other in (f"2024-04-30T23:00:0{number}.123Z", f"2024-04-30T23:00:0{number}.123000Z"):
            text = text.replace(other, f"2024-05-01T08:00:0{number}.123+09:00")
    return json.loads(text)


def test_rows_that_break_the_contract_are_rejected_one_by_one(deliver: Deliver, lines: Lines, tmp_path: Path) -> None:
    """A NaN, a time without an offset, a date beyond the calendar, a text for a number; each with its line."""
    start = pa.array([0, 1, 2, 10**15, 4, 5], pa.timestamp("s"))
    table = pa.table(
        {
            "device_name": [SECRET] * 6,
            "start_date": start,
            "unit": ["count"] * 5 + ["steps"],
            "value": [1.0, float("nan"), 2.0, 3.0, 4.0, 5.0],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    source = str(tmp_path / "x.parquet")
    without = deliver(GeroSense("steps"), source, output=tmp_path / "1")
    assert (without.report.delivered, without.report.rejected) == (0, 6)

    ended = deliver(GeroSense("steps", ZoneInfo("Asia/Tokyo")), source, output=tmp_path / "2")
    assert (ended.report.delivered, ended.report.rejected) == (3, 3)
    rejects = lines(ended.report.rejects)
    assert [(line["position"], line["rule"], line["path"]) for line in rejects] == [
        (1, "G8", "$.value"),
        (3, "G6", "$.start_date"),
        (5, "G8", "$.unit"),
    ]
    assert [line["line"] for line in rejects] == [2, 4, 6]
