"""Files in object stores: what is there, and what Airflow has no way to."""

from __future__ import annotations

import gzip
import sys
from typing import Any

import pytest

from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import open_source


def rows_of(source: object) -> list[Any]:
    """Read all rows."""
    return [row.strip() for chunk in open_source(source).chunks() for row in chunk.rows]


def test_each_file_of_a_store_is_read_once(bucket: Any) -> None:
    """Named by a path, and by two patterns."""
    for name in ("a/x", "a/y", "b/x"):
        (bucket / f"{name}.jsonl").write_bytes(name.encode())
    assert rows_of([bucket / "a/y.jsonl", bucket / "*/*.jsonl", bucket / "**/x.jsonl", bucket / "a/y.jsonl"]) == [
        b"a/y",
        b"a/x",
        b"b/x",
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.jsonl", gzip.compress(b"{}\n", mtime=0), "looks like a file compressed with gzip"),
        ("x.jsonl.gz", b"{}\n", "it isn't compressed, though its name ends in .gz"),
        ("x.json", b'{"data": [{"a": 1}, {"a": 2}]}', "an object around an array of 2 records"),
        ("x.csv", b"", "it is empty"),
    ],
)
def test_a_file_of_a_store_that_is_not_what_it_is_called(bucket: Any, name: str, data: bytes, message: str) -> None:
    """It is refused like one of this machine."""
    (bucket / name).write_bytes(data)
    with pytest.raises(SourceError, match=message):
        open_source(bucket / name)


STORES = [
    ("s3", "is `apache-airflow-providers-amazon[s3fs]` installed?"),
    ("s3a", "is `apache-airflow-providers-amazon[s3fs]` installed?"),
    ("gs", "is `apache-airflow-providers-google` installed?"),
    ("abfs", "is `apache-airflow-providers-microsoft-azure` installed?"),
    ("nobodys", "is the provider of its file system installed?"),
    ("https", "download it in an earlier task, or yield its rows"),
]


@pytest.mark.parametrize(("scheme", "hint"), STORES)
@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "*.csv", "**/x.csv"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_store_that_airflow_does_not_have(scheme: str, hint: str, name: str, listed: bool) -> None:
    """No retry helps: the message says which package has it."""
    text = f"{scheme}://place/{name}"
    with pytest.raises(SourceError, match=r"^source: ") as caught:
        open_source([text] if listed else text)
    assert hint in str(caught.value)
    assert not caught.value.retriable


def test_a_path_object_of_a_store_that_airflow_does_not_have() -> None:
    """An `ObjectStoragePath` is opened as late as text is."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    with pytest.raises(
        SourceError, match="can't be opened: ValueError; is `apache-airflow-providers-google` installed"
    ):
        open_source(ObjectStoragePath("gs://place/x.csv"))


def test_what_an_address_says_beside_its_path_is_not_shown() -> None:
    """A password, or a signature."""
    for text in ("https://me:alice@place/x.csv", "https://place/x.csv?key=alice", "https://place/*.csv?alice"):
        with pytest.raises(SourceError, match="can't read files at web addresses") as caught:
            open_source(text)
        assert "alice" not in str(caught.value)


def test_a_local_path_with_a_scheme_is_a_local_path(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links are known there, and hidden files passed by, as anywhere else on this machine."""
    (tmp_path / "x.jsonl").write_text("1\n")
    (tmp_path / ".y.jsonl").write_text("2\n")
    (tmp_path / "again").symlink_to(tmp_path)
    monkeypatch.setitem(sys.modules, "airflow", None)
    assert rows_of(f"file://{tmp_path}/**/*.jsonl") == [b"1"]
