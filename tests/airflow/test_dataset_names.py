"""What datasets are called in lineage: as others call the same files and addresses, without any credential."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.operators.dataset_names import read_by, written
from airflow_provider_userdata.sources import FileSource, SqlSource, hold


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("/data/steps.jsonl", [("file", "/data/steps.jsonl")]),
        (Path("/data/steps.jsonl"), [("file", "/data/steps.jsonl")]),
        ("file:///data/steps.jsonl", [("file", "/data/steps.jsonl")]),
        ("/data/2026/*.jsonl.gz", [("file", "/data/2026")]),
        ("/data/**/a?/x.csv", [("file", "/data")]),
        ("s3://bucket/steps/2026.csv", [("s3://bucket", "steps/2026.csv")]),
        ("s3a://aws_default@bucket/steps/2026-*.csv", [("s3://bucket", "steps")]),
        ("s3://bucket/*.csv", [("s3://bucket", "/")]),
        ("gs://key:secret@bucket/a.parquet", [("gs://bucket", "a.parquet")]),
        (FileSource("/data/a.txt", format="csv"), [("file", "/data/a.txt")]),
        (["/data/a.csv", "s3://b/c.csv", "/data/a.csv"], [("file", "/data/a.csv"), ("s3://b", "c.csv")]),
        ([FileSource("/data/a.csv"), "/data/b.csv"], [("file", "/data/a.csv"), ("file", "/data/b.csv")]),
        (["/data/a.csv", SqlSource("SELECT 1", "warehouse")], []),
        (SqlSource("SELECT 1", "warehouse"), []),
        ([{"user_id": "a"}], []),
        ([], []),
        (list, []),
        (None, []),
    ],
)
def test_what_is_read(source: Any, names: list[tuple[str, str]]) -> None:
    """Files by their path, a pattern's by their folder; what has no name has none, nor has a list with such a part."""
    assert read_by(hold(source)) == names


def test_a_relative_path_is_named_from_the_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Below the folder that the task's process is in."""
    monkeypatch.chdir(tmp_path)
    assert read_by("steps.csv") == [("file", f"{tmp_path}/steps.csv")]


@pytest.mark.parametrize(
    ("url", "path", "kind", "name"),
    [
        ("https://api.thymia.ai", "/v1/user-data", "mood", ("https://api.thymia.ai", "/v1/user-data/mood")),
        ("https://own.example.com:84/proxy", "/v1/user", "", ("https://own.example.com:84", "/proxy/v1/user")),
        ("http://[::1]:80", "/api/v1.1/samples", "a/b", ("http://[::1]:80", "/api/v1.1/samples/a%2Fb")),
        ("https://toy.example.com", "", "", ("https://toy.example.com", "/")),
    ],
)
def test_what_is_written(url: str, path: str, kind: str, name: tuple[str, str]) -> None:
    """Host and port, then the connection's path, the API's and the kind: together an address again."""
    assert written(url, path, kind) == name
