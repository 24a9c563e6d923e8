"""Where fates are written: private files, made before the first request, that only grow."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.recording.append_log import AppendLog, LocalLog, SegmentedLog, open_log
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.errors import OutputError
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]
JsonLines = Callable[[str | None], list[dict[str, Any]]]


def mode(path: Path) -> int:
    """Give a path's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def full(*_: object) -> int:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Store:
    """A folder of an object store: it can't append, and is no `pathlib.Path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Store:
        return Store(self.path / name)

    def __str__(self) -> str:
        return f"s3://bucket{self.path}"

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the folder."""
        self.path.mkdir(mode, parents, exist_ok)

    def open(self, mode: str = "r") -> Any:
        """Open a file that must not be there yet."""
        assert mode in {"wb", "rb"}
        return self.path.open("xb" if mode == "wb" else "rb")

    @property
    def name(self) -> str:
        """Give the last part of the path."""
        return self.path.name

    def exists(self) -> bool:
        """Say whether there is such an object."""
        return self.path.exists()

    def iterdir(self) -> Iterator[Store]:
        """Give the objects below."""
        return map(Store, self.path.iterdir())

    def stat(self) -> os.stat_result:
        """Tell the object's size."""
        return self.path.stat()

    def unlink(self) -> None:
        """Remove the object."""
        self.path.unlink()


def test_files_are_private(deliver: Deliver, rows: Rows, tmp_path: Path) -> None:
    """Fates are readable by this user alone, in folders of the same kind, whatever the umask."""
    before = os.umask(0)
    try:
        ended = deliver("thymia", [*rows("thymia", 2), "geheim"], output=tmp_path / "dag" / "run" / "task")
    finally:
        os.umask(before)

    assert ended.report.receipts is not None
    assert ended.report.rejects is not None
    assert mode(Path(ended.report.receipts)) == mode(Path(ended.report.rejects)) == 0o600
    assert {mode(tmp_path / place) for place in ("dag", "dag/run", "dag/run/task")} == {0o700}


def test_a_run_without_rejects_has_no_file_of_them(deliver: Deliver, rows: Rows, tmp_path: Path) -> None:
    """The report's `rejects` is None where there are none."""
    report = deliver("thymia", rows("thymia", 2)).report

    assert report.rejects is None
    assert [path.name for path in (tmp_path / "run").glob("*.jsonl")] == ["receipts-1-x.jsonl"]


def test_each_line_of_the_rejects_is_json_whatever_was_read(deliver: Deliver, lines: JsonLines, tmp_path: Path) -> None:
    """A text with a fault within it is kept as it stood; of one that is no JSON, its text."""
    source = tmp_path / "samples.jsonl"
    source.write_bytes(b'{broken\n{"value": 1e0, "unit": "count"}\n[1, 2.50]\n')

    rejects = Path(deliver("gerosense", str(source)).report.rejects or "")

    assert [line["record"] for line in lines(str(rejects))] == [
        {"$text": "{broken"},
        {"value": 1.0, "unit": "count"},
        [1, 2.5],
    ]
    assert b'"record":{"value": 1e0, "unit": "count"}}' in rejects.read_bytes()


def test_each_attempt_writes_files_of_its_own(deliver: Deliver, rows: Rows) -> None:
    """A later attempt doesn't write into an earlier one's files."""
    first = deliver("thymia", rows("thymia", 2), attempt="1-x").report
    again = deliver("thymia", rows("thymia", 2, first=2), attempt="2-y").report

    assert first.receipts != again.receipts


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_written_shows_before_the_first_request(
    place: str, deliver: Deliver, rows: Rows, tmp_path: Path, sandbox: Sandbox
) -> None:
    """An output path that is a file ends the run before anything is sent or read."""
    (tmp_path / "file").write_text("")

    ended = deliver("thymia", rows("thymia", 2), output=tmp_path / place)

    assert isinstance(ended.error, OutputError)
    assert "output_path" in str(ended.error)
    assert (ended.report.read, sandbox.thymia.counts.requests) == (0, 0)


@pytest.mark.parametrize("name", ["receipts", "rejects"])
def test_a_disk_that_fills_up_ends_the_run_and_the_counts_add_up(
    name: str,
    plan: Callable[..., Plan],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
) -> None:
    """What has no written fate is unknown; no more is sent than what was in flight (A5)."""
    append = LocalLog.append

    def full(journal: LocalLog, line: bytes) -> None:
        if name in str(journal._path) and (tmp := journal.path) and Path(tmp).stat().st_size > 10_000:
            raise OutputError("output_path: no space left on device")
        append(journal, line)

    monkeypatch.setattr(LocalLog, "append", full)
    mixed = [row for pair in zip(rows("thymia", 900), ["geheim"] * 900, strict=True) for row in pair]

    ended = Delivery(plan("thymia", mixed, max_in_flight=4)).run()

    report = ended.report
    assert isinstance(ended.error, OutputError)
    assert report.read == report.delivered + report.rejected + report.held + report.unknown
    assert report.unknown > 0
    assert sandbox.thymia.counts.requests <= report.requests
    assert report.delivered <= sandbox.thymia.counts.records < 900 or name == "rejects"


def test_lines_are_appended_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system takes a line in pieces, it stands there once and whole."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, bytes(data)[:3]))
    journal = LocalLog(tmp_path / "a" / "lines.jsonl")

    journal.append(b'{"a": 1}')
    journal.append(b'{"a": 2}')
    journal.close()

    assert (tmp_path / "a" / "lines.jsonl").read_bytes() == b'{"a": 1}\n{"a": 2}\n'


def test_an_error_of_the_disk_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is said in words, with the path, and without the line."""
    journal = LocalLog(tmp_path / "lines.jsonl")
    journal.create()
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        journal.append(b"geheim")
    monkeypatch.undo()
    journal.close()

    assert "geheim" not in str(caught.value)


def test_a_line_after_a_torn_one_stands_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a disk was full for a moment, only the line that it broke is lost."""
    write = os.write
    answers = [lambda file, data: write(file, data[:3]), full]
    journal = LocalLog(tmp_path / "lines.jsonl")
    journal.create()
    monkeypatch.setattr(os, "write", lambda file, data: answers.pop(0)(file, data))
    with pytest.raises(OutputError):
        journal.append(b'{"a": 1}')
    monkeypatch.undo()
    journal.append(b'{"a": 2}')
    journal.append(b'{"a": 3}')
    journal.close()

    assert (tmp_path / "lines.jsonl").read_bytes() == b'{"a\n{"a": 2}\n{"a": 3}\n'


@pytest.mark.parametrize("make", [lambda path: LocalLog(path / "x.jsonl"), lambda path: SegmentedLog(path, "x")])
def test_a_journal_has_no_path_before_its_first_line(make: Callable[[Path], AppendLog], tmp_path: Path) -> None:
    """Nothing is named that isn't there."""
    journal = make(tmp_path)
    assert journal.path is None

    journal.append(b"1")
    journal.seal()
    journal.flush()
    assert journal.path is not None
    journal.close()


def test_an_object_store_gets_parts(tmp_path: Path) -> None:
    """What is sealed together is a numbered part; all lines stand in one of them, in order."""
    folder: Any = Store(tmp_path / "run")
    journal = open_log(folder, "receipts-1-x")
    assert isinstance(journal, SegmentedLog)
    journal.create()
    assert journal.seal() == 0
    journal.flush()
    journal.append(b"1")
    journal.append(b"2")
    assert journal.seal() == journal.seal() == 1
    journal.flush()
    journal.flush()
    journal.append(b"3")
    journal.close()

    parts = sorted((tmp_path / "run").iterdir())
    assert [part.name for part in parts] == ["receipts-1-x-00001.jsonl", "receipts-1-x-00002.jsonl"]
    assert b"".join(part.read_bytes() for part in parts) == b"1\n2\n3\n"
    assert journal.path == f"s3://bucket{tmp_path}/run/receipts-1-x-*.jsonl"


def test_a_part_that_fails_is_written_with_the_next_flush(tmp_path: Path) -> None:
    """An object store that fails once loses no line."""
    folder: Any = Store(tmp_path / "run")
    journal = SegmentedLog(folder, "receipts")
    journal.append(b"1")
    (tmp_path / "run").write_text("in the way")
    journal.seal()
    with pytest.raises(OutputError):
        journal.flush()
    (tmp_path / "run").unlink()
    journal.append(b"2")
    journal.close()

    written = [path.read_bytes() for path in sorted((tmp_path / "run").iterdir())]
    assert written == [b"1\n", b"2\n"]


def test_fates_on_an_object_store_are_whole(plan: Callable[..., Plan], rows: Rows, tmp_path: Path) -> None:
    """A delivery whose output is no file system writes all fates at the latest when it ends."""
    ended = Delivery(plan("thymia", [*rows("thymia", 30), "geheim"], output=Store(tmp_path / "run"))).run()

    written = {path.name.partition("-")[0]: path.read_bytes().splitlines() for path in (tmp_path / "run").iterdir()}
    assert (ended.report.delivered, len(written["receipts"]), len(written["rejects"])) == (30, 30, 1)
