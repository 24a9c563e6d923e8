"""What a task is called by what it uploads: shown in many places, so it holds nothing of a record."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airflow_provider_userdata.sources import label


@pytest.mark.parametrize(
    "text",
    [
        '{"user_id":"u","url":"https://example.com/a","mail":"alice@example.com"}',
        '[{"unit":"count/min","mail":"alice@example.com"}]',
        "a/b\nalice@example.com",
        "alice@example.com",
    ],
)
def test_a_record_that_was_passed_by_mistake_is_no_label(text: str) -> None:
    """It may hold a slash, as a path does."""
    assert label(text) == label([text]).replace("1 record", "") == ""


def test_a_files_name_is_its_label() -> None:
    """Without its folder."""
    assert label("/data/day-1.csv") == label(Path("/data/day-1.csv")) == "day-1.csv"
    assert label("s3://bucket/days/day-*.jsonl.gz") == "day-*.jsonl.gz"


def test_a_name_that_is_no_text_becomes_one() -> None:
    """Airflow stores the label as JSON: a byte of a disk that isn't UTF-8 would fail the task."""
    assert label(os.fsdecode(b"/data/day-\xff.csv")) == "day-?.csv"
