"""Lines are overwritten where they are; cut short at any instant, it is finished later, and no other line changes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.recording import (
    OVERWRITING,
    Change,
    NewLine,
    finish_overwriting,
    overwrite,
)
from airflow_provider_userdata.delivery.recording.erased_lines import (
    erased_receipt,
    erased_reject,
    padded,
)
from airflow_provider_userdata.errors import OutputError
from tests.doubles import Crash, crashes

LINES = {
    "a": [b"one\n", b'{"who":"geheim","and":"' + b"more " * 3000 + b'"}\n', b"three\n", b"geheim 4\n", b"torn gehei"],
    "b": [b"geheim first\n", b"second\n"],
}
ERASED = {"a": [b"one\n", padded(b"{}", LINES["a"][1]), b"three\n", padded(b"", b"geheim 4\n"), b"torn gehei"]}
ERASED["b"] = [padded(b"{}", b"geheim first\n"), b"second\n"]


def changes() -> list[Change]:
    """Give the changes that make ERASED of LINES."""
    found = []
    for name, lines in LINES.items():
        offset = 0
        for old, new in zip(lines, ERASED[name], strict=True):
            if old != new:
                found.append(Change(old, NewLine.of(name, offset, new)))
            offset += len(old)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with two files."""
    for name, lines in LINES.items():
        (tmp_path / name).write_bytes(b"".join(lines))
    return tmp_path


def check(folder: Path) -> None:
    """Check that all is overwritten, and nothing is left besides the files."""
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: b"".join(lines) for name, lines in ERASED.items()
    }


def die_at(step: int, monkeypatch: pytest.MonkeyPatch) -> crashes.Steps:
    """Let the process crash at a step: half of what it was to write is there then, of each call that changes files."""
    steps = crashes.Steps(step)
    pwrite, write = os.pwrite, os.write

    def half_pwrite(file: int, data: bytes, offset: int) -> int:
        try:
            steps()
        except Crash:
            pwrite(file, data[: len(data) // 2], offset) if steps.left == 0 else None
            raise
        return pwrite(file, data, offset)

    def half_write(file: int, data: bytes) -> int:
        try:
            steps()
        except Crash:
            write(file, data[: len(data) // 2]) if steps.left == 0 else None
            raise
        return write(file, data)

    def stepped(function: Any) -> Any:
        def called(*given: Any, **named: Any) -> Any:
            steps()
            return function(*given, **named)

        return called

    monkeypatch.setattr(os, "pwrite", half_pwrite)
    monkeypatch.setattr(os, "write", half_write)
    for owner, name in ((os, "fsync"), (os, "fdatasync"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, stepped(getattr(owner, name)))
    return steps


def test_lines_are_overwritten(folder: Path) -> None:
    """All of them, in the same files; a second time changes nothing."""
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert overwrite(folder, changes()) == 3
    check(folder)
    assert {path.name: path.stat().st_ino for path in folder.iterdir()} == before
    assert overwrite(folder, changes()) == 0
    assert finish_overwriting(folder) == 0
    check(folder)


def test_a_crash_at_any_step(folder: Path) -> None:
    """What was begun is finished later; until then, no other line is touched."""
    done = False
    step = 0
    while not done:
        step += 1
        for name, lines in LINES.items():
            (folder / name).write_bytes(b"".join(lines))
        with pytest.MonkeyPatch.context() as patched:
            die_at(step, patched)
            try:
                overwrite(folder, changes())
                done = True
            except Crash:
                pass
        for name, lines in LINES.items():
            text, offset = (folder / name).read_bytes(), 0
            assert len(text) == sum(map(len, lines))
            for old, new in zip(lines, ERASED[name], strict=True):
                assert old != new or text[offset : offset + len(old)] == old
                offset += len(old)
        for plan in folder.glob(f"{OVERWRITING}*"):
            assert b"geheim" not in plan.read_bytes()
            assert plan.stat().st_mode & 0o077 == 0
        finish_overwriting(folder)
        overwrite(folder, changes())
        check(folder)
    assert step > 10


def test_the_finishing_may_crash_too(folder: Path) -> None:
    """Again and again."""
    with pytest.MonkeyPatch.context() as patched:
        die_at(6, patched)
        with pytest.raises(Crash):
            overwrite(folder, changes())
    for step in range(1, 4):
        with pytest.MonkeyPatch.context() as patched:
            die_at(step, patched)
            with pytest.raises(Crash):
                finish_overwriting(folder)
    finish_overwriting(folder)
    overwrite(folder, changes())
    check(folder)


def test_a_line_that_is_another_by_now_stays(folder: Path) -> None:
    """Its file was cut or removed meanwhile, as by an attempt that goes on: nothing is written beyond its end."""
    found = changes()
    os.truncate(folder / "a", len(LINES["a"][0]) + 5)
    (folder / "b").unlink()
    assert overwrite(folder, found) == 0
    assert (folder / "a").read_bytes() == b"".join(LINES["a"])[: len(LINES["a"][0]) + 5]
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_a_cut_between_the_plan_and_the_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, at the last moment."""
    fsync = os.fsync

    def cut(file: int) -> None:
        fsync(file)
        os.truncate(folder / "a", len(LINES["a"][0]))

    monkeypatch.setattr(os, "fsync", cut)
    assert overwrite(folder, changes()) == 1
    assert (folder / "a").read_bytes() == LINES["a"][0]


def test_a_folder_that_cant_be_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, without anything of a line."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="can't be changed: No space left on device") as caught:
        overwrite(folder, changes())
    assert "geheim" not in str(caught.value)


def test_the_shortest_lines_have_room() -> None:
    """A user of one letter, in the shortest lines that are written."""
    receipt = b'{"ranges":[[0,1]],"count":1,"status":200,"at":"t","user_id":"u"}\n'
    said: dict[str, Any] = {"ranges": [[0, 1]], "count": 1, "status": 200, "at": "t", "user_id": "u"}
    erased = erased_receipt(receipt, said)
    assert (len(erased), b'"erased":true' in erased, b'"u"' in erased) == (len(receipt), True, False)
    reject = b'{"position":0,"fate":"held","rule":"","path":null,"reason":"","status":null,"record":"u"}\n'
    line = {"position": 0, "fate": "held", "rule": "", "path": None, "reason": "", "status": None, "record": "u"}
    erased = erased_reject(reject, line, lambda _: False)
    assert erased.rstrip() == b'{"position":0,"fate":"held","rule":"","erased":true}'
    assert len(erased) == len(reject)


def test_names_that_contain_the_user_go() -> None:
    """Of files and of paths in the record; where a replay found the reject, it stays."""
    line = {
        "position": 1,
        "fate": "rejected",
        "rule": "P4",
        "path": "$.u",
        "file": "/in/u.csv",
        "line": 3,
        "record": {},
    }
    text = str(line).encode() + b"\n"
    assert erased_reject(text, line, lambda name: "u" in name).split() == [
        b'{"position":1,"fate":"rejected","rule":"P4","line":3,"erased":true}'
    ]
    earlier = {**line, "file": "/out/u/rejects-1-x.jsonl"}
    assert b"rejects-1-x.jsonl" in erased_reject(text + b" " * 99, earlier, lambda name: "u" in name)
