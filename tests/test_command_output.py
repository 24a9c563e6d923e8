"""What commands print on a terminal: tables, how far long work is, and errors in one line; and how they read files."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from airflow_provider_userdata.__main__ import main
from airflow_provider_userdata.cli import declared, file_reader, progress
from airflow_provider_userdata.cli.file_reader import FileReader
from airflow_provider_userdata.cli.printing import laid_out
from airflow_provider_userdata.cli.progress import Bar, bar
from airflow_provider_userdata.delivery.recording import files_below

RUN = "manual__2026-12-01T02:09:50.932214+00:00"
ROWS = [{"run": RUN, "last written": "2026-12-01 02:09", "delivered": "1,234", "rejected": "0"}]


class Terminal(io.StringIO):
    """Stands for a terminal."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (None, [f"run{' ' * 37}  last written", f"{RUN}  2026-12-01 02:09  1,234"]),
        (80, [f"run{' ' * 37}  last written", f"{RUN}  2026-12-01 02:09  1,234"]),
        (60, ["run", "  last written      delivered  rejected", RUN, "  2026-12-01 02:09  1,234      0"]),
        (30, ["run", "  last", "  written       delivered", RUN, "  2026-12-01"]),
    ],
)
def test_ids_are_not_broken(width: int | None, lines: list[str]) -> None:
    """Where a run's id doesn't fit beside the others, it has a line of its own, so that it can be copied."""
    found = laid_out(ROWS, width, whole="run").splitlines()
    begun = [line for line in found if any(line.startswith(wanted) for wanted in lines)]
    assert len(begun) >= len(lines) - 1
    assert any(RUN in line for line in found)
    assert width is None or max(len(line) for line in found if RUN not in line) <= max(width, 40)


def test_how_far_work_is() -> None:
    """As a bar, a share, and the time left; work of no size is done."""
    assert bar("Reading 3 runs", 50, 200, 2.0) == "Reading 3 runs [#####...............] 25%, 6 s left"
    assert bar("Reading 3 runs", 0, 200, 2.0) == "Reading 3 runs [....................] 0%"
    assert bar("Reading 0 runs", 0, 0, 2.0) == "Reading 0 runs [####################] 100%, 0 s left"


def test_only_long_work_on_a_terminal_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fits the line, and is removed; short work, a pipe and a dumb terminal show nothing."""
    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setenv("COLUMNS", "30")
    with Bar("Reading", 10) as short:
        short.add(5)
    assert shown.getvalue() == ""
    monkeypatch.setattr(progress, "QUIET_SECONDS", -1.0)
    with Bar("Reading", 10) as long:
        long.add(5)
    assert re.findall(r"\r\x1b\[K([^\r]*)", shown.getvalue()) == ["Reading [##########.......... "[:29], ""]
    monkeypatch.setenv("TERM", "dumb")
    before = shown.getvalue()
    with Bar("Reading", 10) as long:
        long.add(5)
    assert shown.getvalue() == before
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Bar("Reading", 10) as long:
        long.add(5)


@pytest.mark.parametrize("arguments", [("find", "--user", "-x"), ("runs", "-dag")])
def test_a_value_that_looks_like_an_option(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The message says how to write it."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "is written as in --user=-x; a DAG or a task, behind --" in capsys.readouterr().err


def test_stopped_while_it_starts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Airflow's import takes seconds: Ctrl+C ends it without a traceback."""

    def imported(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(declared, "import_module", imported)
    with pytest.raises(SystemExit) as ended:
        main(["runs"])
    assert (ended.value.code, capsys.readouterr().err) == (130, "\nuserdata: stopped\n")


def test_an_output_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, for example: one line says so."""

    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(SystemExit, match=r"^userdata: the output can't be written: No space left on device$"):
        main(["runs", "--output-path", "/nowhere"])


LINES = [b'{"user": "u-%d"}\n' % number for number in range(40)]


@pytest.mark.parametrize("block", [1, 20, 50, 10_000])
def test_lines_of_files(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them or those that may hold something, each with its place, whatever is read at once."""
    monkeypatch.setattr(file_reader, "_BLOCK", block)
    (tmp_path / "rejects-1-a.jsonl").write_bytes(b"".join(LINES) + b'{"torn')
    (file,) = files_below(tmp_path)[()]
    reader = FileReader()
    assert list(reader.lines(file)) == [*LINES, b'{"torn']
    assert list(reader.lines(file, lambda text: b"u-3" in text)) == [line for line in LINES if b"u-3" in line]
    placed = list(reader.placed_lines(file, lambda text: b"u-7" in text))
    assert placed == [(sum(map(len, LINES[:7])), LINES[7])]
    file.path.unlink()
    assert list(reader.lines(file)) == []


def test_files_below_a_folder(tmp_path: Path) -> None:
    """By the names of the folders that lead to them; a link in a circle ends, and nothing is found where nothing is."""
    (tmp_path / "d" / "r").mkdir(parents=True)
    (tmp_path / "d" / "r" / "b").write_text("1")
    (tmp_path / "d" / "r" / "a").write_text("22")
    (tmp_path / "d" / "again").symlink_to(tmp_path)
    (tmp_path / "d" / "lost").symlink_to(tmp_path / "nowhere")
    found = files_below(tmp_path)
    assert [(file.name, file.size) for file in found["d", "r"]] == [("a", 2), ("b", 1)]
    assert all(file.changed is not None for files in found.values() for file in files)
    assert files_below(tmp_path / "nowhere") == files_below(tmp_path / "d" / "r" / "a") == {}


@pytest.mark.parametrize("arguments", [("runs",), ("report", "d", "t", "--run-id", "r"), ("find", "--user", "u")])
def test_a_folder_that_cannot_be_read(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is named, in one line."""

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("airflow_provider_userdata.delivery.recording.found_files.os.scandir", refused)
    with pytest.raises(SystemExit, match=rf"^userdata: {tmp_path}\S* can't be read: Permission denied$"):
        main([*arguments, "--output-path", str(tmp_path)])
