"""A delivery whose files lie in an object store, reached as Airflow reaches it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from airflow_provider_userdata.delivery.plan import Plan
from airflow_provider_userdata.delivery.runner import Delivery

Rows = Callable[..., list[dict[str, Any]]]


def lines(folder: Any, kind: str) -> list[dict[str, Any]]:
    """Read a kind of file from an object store, all its parts."""
    parts = sorted((part for part in folder.iterdir() if part.name.startswith(kind)), key=lambda part: str(part.name))
    return [json.loads(line) for part in parts for line in part.read_bytes().splitlines()]


def test_receipts_and_rejects_are_written_to_an_object_store(
    plan: Callable[..., Plan], rows: Rows, bucket: Any
) -> None:
    """Every record is found again there, in a receipt or among the rejects."""
    ended = Delivery(plan("thymia", [*rows("thymia", 3), "geheim"], output=bucket / "run")).run()

    assert ended.error is None
    assert ended.report.receipts == str(bucket / "run" / "receipts-1-x-*.jsonl")
    assert sorted(line["ranges"] for line in lines(bucket / "run", "receipts-")) == [[[0, 1]], [[1, 1]], [[2, 1]]]
    assert [(line["position"], line["fate"]) for line in lines(bucket / "run", "rejects-")] == [(3, "rejected")]
