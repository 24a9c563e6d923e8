"""A file that isn't what its name says is refused before anything is read, and the message says what it is."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pathlib
import zipfile
import zlib
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import TextRow
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import open_source

LINES = b"".join(b'{"user_id": "alice%d", "plan": "pro"}\n' % number for number in range(2000))
USERS: list[dict[str, Any]] = [{"user_id": f"alice{number}", "plan": "pro"} for number in range(500)]
PAGE = {"ok": True, "next": None, "users": USERS}


def zipped(*names: str) -> bytes:
    """Give a ZIP archive with files of these names, from a time that is written with a byte that is also a line end."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 1, 8, 0, 20)), "alice")
    return data.getvalue()


BYTES = {
    "gzip": (gzip.compress(LINES), "looks like a file compressed with gzip; let its name end in .gz"),
    "bzip2": (bz2.compress(LINES), "compressed with bzip2; decompress it first"),
    "xz": (lzma.compress(LINES), "compressed with xz; decompress it first"),
    "zlib": (zlib.compress(LINES), "compressed with zlib; decompress it first"),
    "zstandard": (b"\x28\xb5\x2f\xfd\x04\x58", "compressed with Zstandard; decompress it first"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40", "compressed with LZ4; decompress it first"),
    "workbook": (
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        "an Excel workbook; save its sheet as CSV, in UTF-8",
    ),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "an old Excel workbook; save its sheet as CSV"),
    "archive": (zipped("x.csv"), "a ZIP archive, or a workbook; unpack it"),
    "parquet": (b"PAR1\x15\x04\x15\x10PAR1", "a Parquet file; let its name end in .parquet"),
    "avro": (b"Obj\x01\x04\x14avro.codec", "an Avro file"),
    "utf-16": (
        "user_id,plan\nalice,pro\n".encode("utf-16"),
        "text in UTF-16; save it in UTF-8, or read it with FileSource",
    ),
    "utf-16 big": (
        "user_id,plan\nalice,pro\n".encode("utf-16-be"),
        "FileSource(path, encoding='utf-16-be')",
    ),
    "utf-32": (
        "user_id,plan\nalice,pro\n".encode("utf-32"),
        "FileSource(path, encoding='utf-32')",
    ),
    "page": (b"\n<!DOCTYPE html><html><title>alice</title>", "a page of HTML"),
    "xml": (b'<?xml version="1.0"?><alice/>', "looks like XML"),
    "git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "Git LFS"),
}


def refusal(path: pathlib.Path, data: bytes, **options: Any) -> str:
    """Write a file, and say why it isn't opened."""
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"^source: ") as caught:
        open_source(path, **options)
    assert "alice" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", BYTES)
@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json", ".csv", ".tsv"])
@pytest.mark.parametrize("packed", [False, True])
def test_bytes_of_another_kind_are_named(tmp_path: pathlib.Path, kind: str, ending: str, packed: bool) -> None:
    """Packed, or a workbook, or in another encoding: the message says so, and what to do."""
    data, message = BYTES[kind]
    name = tmp_path / f"x{ending}{'.gz' if packed else ''}"
    assert message in refusal(name, gzip.compress(data) if packed else data) or (kind == "gzip" and packed)
    if kind == "gzip" and packed:
        assert "is compressed twice" in refusal(name, gzip.compress(data))


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv"])
@pytest.mark.parametrize(
    ("data", "message"),
    [(LINES, "it isn't compressed, though its name ends in .gz"), (bz2.compress(LINES), "compressed with bzip2")],
)
def test_a_file_that_only_is_called_packed_is_refused(
    tmp_path: pathlib.Path, ending: str, data: bytes, message: str
) -> None:
    """It isn't damaged."""
    assert message in refusal(tmp_path / f"x{ending}.gz", data)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonl", json.dumps(USERS)),
        ("x.jsonl", json.dumps(USERS, indent=1)),
        ("x.jsonl", "[\r\n" + LINES.decode()),
        ("x.jsonl", json.dumps(USERS[0], indent=2)),
        ("x.csv", LINES.decode()),
        ("x.csv", json.dumps(USERS, indent=1)),
        ("x.tsv", json.dumps(USERS)),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_json_of_another_kind_is_named(tmp_path: pathlib.Path, name: str, text: str, before: bytes) -> None:
    """Each of its lines would be a reject, or all of it one."""
    assert "looks like" in refusal(tmp_path / name, before + text.encode())


@pytest.mark.parametrize(
    "envelope",
    [
        {"data": USERS},
        {"data": USERS[:1]},
        PAGE,
        {"data": {"users": USERS}},
        {"results": USERS, "meta": {"x": 1}},
        {"@odata.context": "x", "value": USERS, "@odata.nextLink": "y"},
        {"something": "else", "rows": USERS},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_around_records_is_refused(tmp_path: pathlib.Path, envelope: Any, indent: int | None) -> None:
    """Thousands of users would be one reject."""
    text = json.dumps(envelope, indent=indent).encode()
    message = refusal(tmp_path / "x.json", text, columns=["user_id"])
    assert "it contains an object around an array of" in message
    assert "write the array alone, or JSON lines" in message


@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
@pytest.mark.parametrize("columns", [["user_id"], []])
def test_a_list_of_objects_around_records_is_refused(tmp_path: pathlib.Path, name: str, columns: list[str]) -> None:
    """So a vendor's pages are written one below the other."""
    text = json.dumps(PAGE) + "\n" + json.dumps(PAGE) if name == "x.jsonl" else json.dumps([PAGE, PAGE])
    assert "an object around an array of 500 records" in refusal(tmp_path / name, text.encode(), columns=columns)


@pytest.mark.parametrize(
    ("record", "columns"),
    [
        ({"user": {"userLabel": "u1"}, "data": {"samples": [{"a": 1}, {"a": 2}]}}, []),
        ({"id": "u1", "samples": [{"a": 1}, {"a": 2}]}, ["id"]),
        ({"id": "u1", "samples": [{"a": 1}, {"a": 2}]}, []),
        ({"url": "u1", "samples": [{"a": 1}, {"a": 2}]}, ["url"]),
        ({"steps": [1, 2, 3]}, []),
        ({"a": []}, []),
        ({}, []),
        ({"user_id": "u1", "plan": "pro"}, ["user_id"]),
        ({"data": {"plan": "pro"}}, []),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "array.json"])
def test_a_record_is_no_envelope(tmp_path: pathlib.Path, record: Any, columns: list[str], name: str) -> None:
    """Whatever arrays it has in it, a single record is one; right or wrong, as its vendor says."""
    text = json.dumps([record] if name == "array.json" else record)
    (tmp_path / name).write_text(text)
    rows = [row for chunk in open_source(tmp_path / name, columns=columns).chunks() for row in chunk.rows]
    assert [json.loads(row) for row in rows] == [record]


def test_a_record_that_lacks_its_user_is_rejected_alone(tmp_path: pathlib.Path) -> None:
    """The first of many records is no sign that the file is another one."""
    (tmp_path / "x.jsonl").write_text('{"samples": [{"a": 1}]}\n{"id": "u2", "samples": [{"a": 1}]}\n')
    source = open_source(tmp_path / "x.jsonl", columns=["id"])
    assert sum(len(chunk.rows) for chunk in source.chunks()) == 2


def test_an_endless_object_is_refused_as_what_it_is(tmp_path: pathlib.Path) -> None:
    """A record isn't as long as that."""
    (tmp_path / "x.json").write_text('{"data": [' + '{"user_id": "u"},' * 4_300_000)
    with pytest.raises(SourceError, match="a record is longer than 64 MiB"):
        open_source(tmp_path / "x.json")


@pytest.mark.parametrize("empty", ["1.csv", "2.tsv", "1.json", "2.csv.gz"])
def test_an_empty_file_among_others_is_passed_by(
    tmp_path: pathlib.Path, empty: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its log says which; where all are empty, something is wrong."""
    (tmp_path / empty).touch()
    (tmp_path / "3.csv").write_text("a\n1\n")
    (tmp_path / "4.csv").write_text("a\n2\n")
    rows = [row for chunk in open_source(tmp_path / "*").chunks() for row in chunk.rows]
    assert [row.as_dict() for row in rows if isinstance(row, TextRow)] == [{"a": "1"}, {"a": "2"}]
    assert "1 of 3 files have no records" in caplog.text
    assert empty in caplog.text

    for name in ("3.csv", "4.csv"):
        (tmp_path / name).write_text("\n")
    with pytest.raises(SourceError, match="it is empty"):
        open_source(tmp_path / "*")
