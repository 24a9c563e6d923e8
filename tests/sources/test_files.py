"""Paths, patterns and lists of these."""

from __future__ import annotations

import contextlib
import gzip
import os
import pathlib
import zlib
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import Source, TextRow
from airflow_provider_userdata.errors import SourceBrokeError, SourceError
from airflow_provider_userdata.sources import open_source

TEXTS = {
    ".jsonl": '{"a":"1"}\n{"a":"2"}\n',
    ".ndjson": '{"a":"1"}\n{"a":"2"}\n',
    ".json": '[{"a":"1"},{"a":"2"}]',
    ".csv": "a\n1\n2\n",
    ".tsv": "a\n1\n2\n",
}


def rows_of(source: Source) -> list[Any]:
    """Read all rows."""
    rows = [row for chunk in source.chunks() for row in chunk.rows]
    return [row.as_dict() if isinstance(row, TextRow) else row.removesuffix(b"\n") for row in rows]


def open_files() -> set[pathlib.Path]:
    """See what this process has open."""
    found = set()
    for link in pathlib.Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor of this very look
            found.add(link.readlink())
    return found


@pytest.mark.parametrize("ending", TEXTS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shout", [False, True])
def test_each_kind_of_file_is_read_by_its_name(tmp_path: pathlib.Path, ending: str, packed: bool, shout: bool) -> None:
    """The ending says the kind, in any case, compressed or not."""
    name = f"steps{ending}{'.gz' if packed else ''}"
    path = tmp_path / (name.upper() if shout else name)
    data = TEXTS[ending].encode()
    path.write_bytes(gzip.compress(data[:9]) + gzip.compress(data[9:]) if packed else data)
    wanted: list[Any] = (
        [b'{"a":"1"}', b'{"a":"2"}'] if "s" in ending and "c" not in ending and "t" not in ending else []
    )
    got = rows_of(open_source(str(path)))
    assert got == (wanted or [{"a": "1"}, {"a": "2"}])
    assert rows_of(open_source(path)) == got


@pytest.mark.parametrize("listed", [list, tuple])
def test_files_are_read_in_order(tmp_path: pathlib.Path, listed: Any) -> None:
    """A list keeps its order, a pattern's matches are sorted, and no file is read twice."""
    for name in ("b", "a", "c", ".hidden"):
        (tmp_path / f"{name}.jsonl").write_text(f"{name}\n")
    assert rows_of(open_source(str(tmp_path / "*.jsonl"))) == [b"a", b"b", b"c"]
    assert rows_of(open_source(tmp_path / "[ac].jsonl")) == [b"a", b"c"]
    both = listed([tmp_path / "c.jsonl", str(tmp_path / "?.jsonl")])
    assert rows_of(open_source(both)) == [b"c", b"a", b"b"]


def test_two_stars_reach_into_folders(tmp_path: pathlib.Path) -> None:
    """Folders in between are not files, and nobody trips over them."""
    (tmp_path / "2024" / "05").mkdir(parents=True)
    (tmp_path / "2024" / "05" / "x.jsonl").write_text("2\n")
    (tmp_path / "0.jsonl").write_text("1\n")
    assert rows_of(open_source(f"{tmp_path}/**/*.jsonl")) == [b"1", b"2"]
    assert rows_of(open_source(f"{tmp_path}/**")) == [b"1", b"2"]


def test_a_pattern_that_matches_other_files_is_refused(tmp_path: pathlib.Path) -> None:
    """Nothing is left out in silence, for it may have been meant."""
    (tmp_path / "x.jsonl").touch()
    (tmp_path / "y.xlsx").touch()
    with pytest.raises(SourceError, match=r"y\.xlsx': its name ends in none of"):
        open_source(str(tmp_path / "*"))


def test_brackets_in_a_files_own_name_are_no_pattern(tmp_path: pathlib.Path) -> None:
    """A file that is there under exactly that name is meant."""
    (tmp_path / "steps[1].jsonl").write_text("1\n")
    assert rows_of(open_source(str(tmp_path / "steps[1].jsonl"))) == [b"1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.jsonl", "there is no such file"),
        ("steps.jsonl/below.csv", "there is no such file"),
        ("*.csv", "no file matches"),
        ("folder", "it is a folder"),
        ("folder.jsonl", "it is a folder"),
        ("folder.*", "it is a folder"),
        ("steps.xlsx", "its name ends in none of .jsonl, .ndjson"),
        ("steps.gz", "its name ends in none of"),
        ("pipe.csv", "it is not a regular file"),
        ("text.json", "neither a JSON array nor a JSON object"),
        ("plain.jsonl.gz", "isn't compressed, though its name ends in .gz"),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is(tmp_path: pathlib.Path, name: str, message: str) -> None:
    """Opening checks all files, and names the argument and the file."""
    for folder in ("folder", "folder.jsonl"):
        (tmp_path / folder).mkdir()
    (tmp_path / "steps.jsonl").write_text("1\n")
    for other in ("steps.xlsx", "steps.gz", "plain.jsonl.gz"):
        (tmp_path / other).write_text("alice")
    (tmp_path / "text.json").write_text('"alice"')
    if name == "pipe.csv":
        os.mkfifo(tmp_path / name)
    with pytest.raises(SourceError, match=message) as caught:
        open_source([str(tmp_path / "steps.jsonl"), str(tmp_path / name)])
    assert str(caught.value).startswith("source: ")
    assert str(tmp_path) in str(caught.value)
    assert "alice" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: pathlib.Path) -> None:
    """Permission is a thing to fix first."""
    path = tmp_path / "x.jsonl"
    path.touch(mode=0)
    with pytest.raises(SourceError, match="no permission"):
        open_source(path)


def test_columns_must_be_in_every_header(tmp_path: pathlib.Path) -> None:
    """A table that lacks a column is refused by name, before the first row of any file."""
    (tmp_path / "1.csv").write_text("id,steps\n")
    (tmp_path / "2.csv").write_text("id,stepps\n")
    (tmp_path / "3.jsonl").write_text("{}\n")
    open_source(str(tmp_path / "1.csv"), columns=["steps", "id"])
    open_source(str(tmp_path / "3.jsonl"), columns=["steps"])
    with pytest.raises(SourceError, match=r"2\.csv': its header lacks the column 'steps'"):
        open_source(str(tmp_path / "*"), columns={"steps"})


def test_a_column_with_another_name_can_be_named(tmp_path: pathlib.Path) -> None:
    """Without `fields`, the message says how to name it; with them, the name is the author's own already."""
    path = tmp_path / "1.csv"
    path.write_text("Customer ID,plan\n")
    advice = (
        r"lacks the column 'user_id'\. If another column holds it, say so: fields={'user_id': 'its name'}, .*--fields"
    )
    with pytest.raises(SourceError, match=advice):
        open_source(str(path), columns=["user_id"])
    with pytest.raises(SourceError, match=r"lacks the column 'user_id'$"):
        open_source(str(path), columns=["user_id"], only=True)


def test_a_damaged_archive_is_refused_at_its_position(tmp_path: pathlib.Path) -> None:
    """What could be unpacked is handed over; no retry mends the file."""
    good, bad = tmp_path / "1.jsonl", tmp_path / "2.jsonl.gz"
    good.write_text("1\n2\n")
    lines = b"".join(os.urandom(40).hex().encode() + b"\n" for _ in range(50_000))
    bad.write_bytes(gzip.compress(lines)[:-1000])
    got: list[bytes] = []
    with pytest.raises(SourceError, match=r"2\.jsonl\.gz', at position \d+: the compressed file ends early") as caught:
        got.extend(row for chunk in open_source([good, bad]).chunks() for row in chunk.rows)
    assert len(got) > 10_000
    assert f"position {len(got)}:" in str(caught.value)


def test_flipped_bytes_in_an_archive_are_noticed(tmp_path: pathlib.Path) -> None:
    """The checksum is looked at."""
    path = tmp_path / "x.jsonl.gz"
    data = bytearray(gzip.compress(b"1\n" * 1000))
    data[-6] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged"):
        rows_of(open_source(path))


def test_a_broken_array_is_refused_at_its_position(tmp_path: pathlib.Path) -> None:
    """Positions run on over the files."""
    (tmp_path / "1.jsonl").write_text("1\n" * 1500)
    (tmp_path / "2.json").write_text("[" + "{},\n" * 1200 + '"alice')
    got: list[bytes] = []
    with pytest.raises(SourceError, match=r"2\.json', at position 2700: its array is incomplete") as caught:
        got.extend(row for chunk in open_source(f"{tmp_path}/*").chunks() for row in chunk.rows)
    assert len(got) == 2700
    assert caught.value.__cause__ is None


def test_a_file_that_vanishes_breaks_the_source(tmp_path: pathlib.Path) -> None:
    """What was there when the task began may be there again."""
    path = tmp_path / "x.jsonl"
    path.write_text("1\n")
    source = open_source(path)
    path.unlink()
    with pytest.raises(SourceBrokeError, match="reading failed with FileNotFoundError"):
        rows_of(source)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", TEXTS)
def test_files_are_closed_when_reading_ends_early(tmp_path: pathlib.Path, ending: str, packed: bool) -> None:
    """No descriptor stays behind."""
    text = "[" + "{},\n" * 5000 + "{}]" if ending == ".json" else "a\n" + "1\n" * 5000
    path = tmp_path / f"x{ending}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    chunks = open_source(path).chunks()
    next(chunks)
    assert path in open_files()
    chunks.close()  # type: ignore[attr-defined]
    assert path not in open_files()


@pytest.mark.parametrize(
    "text", ["", "  ", "[{'name': 'alice'}]", '{"name": "alice"}', "alice\nbob.csv", "alice\0.csv", "x" * 5000]
)
def test_text_that_is_no_path_is_not_quoted(text: str) -> None:
    """A template makes text of an upstream task's records; the message says what to write instead."""
    with pytest.raises(SourceError, match="source: ") as caught:
        open_source(text)
    assert "alice" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("texts", [["alice@example.com"], ["data/x.csv", "alice"], ["alice", "bob"]])
def test_texts_of_an_earlier_task_are_not_quoted(texts: list[str]) -> None:
    """A list of texts is one of paths; what is none is named by its place in the list."""
    with pytest.raises(SourceError, match=r"source: text \d of \d is not a path") as caught:
        open_source(texts)
    assert "alice" not in str(caught.value)


def test_a_packed_bomb_is_measured_unpacked(tmp_path: pathlib.Path) -> None:
    """A small file that unpacks to an endless line must not fill the memory."""
    path = tmp_path / "x.jsonl.gz"
    packer = zlib.compressobj(9, wbits=31)
    path.write_bytes(b"".join(packer.compress(b"x" * 2**20) for _ in range(66)) + packer.flush())
    with pytest.raises(SourceError, match="a record is longer than 64 MiB"):
        rows_of(open_source(path))
