"""Each file is read once, whatever it is called."""

from __future__ import annotations

import logging
import os
import pathlib
from typing import Any

import pytest

from airflow_provider_userdata.delivery.reading.source import Source
from airflow_provider_userdata.errors import SourceError
from airflow_provider_userdata.sources import open_source
from airflow_provider_userdata.sources.paths import find_files


def rows_of(source: Source) -> list[Any]:
    """Read all rows."""
    return [row.strip() for chunk in source.chunks() for row in chunk.rows]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Give a folder with two files in folders of their own."""
    for name in ("2025", "2026"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jsonl").write_text(f"{name}\n")
    return tmp_path


def names(folder: pathlib.Path, source: object) -> list[str]:
    """Find files, and name them from the folder on."""
    return [str(path.relative_to(folder)) for path in find_files(source).values()]


@pytest.mark.parametrize("name", ["latest", "2024", "a"])
@pytest.mark.parametrize("pattern", ["**/*.jsonl", "*/*.jsonl", "**", "**/**/x.jsonl", "2*/../**/x.jsonl"])
def test_a_link_to_a_folder_is_another_name(folder: pathlib.Path, name: str, pattern: str) -> None:
    """A file goes by the name that is no link's, whichever of them comes first in the alphabet."""
    (folder / name).symlink_to("2026")
    assert rows_of(open_source(folder / pattern)) == [b"2025", b"2026"]
    assert [path.resolve() for path in find_files(folder / pattern).values()] == [
        folder / "2025" / "x.jsonl",
        folder / "2026" / "x.jsonl",
    ]


@pytest.mark.parametrize("pattern", ["**/*.jsonl", "**"])
def test_links_that_lead_back_up_have_an_end(folder: pathlib.Path, pattern: str) -> None:
    """Two of them in one folder would make a million names, each of them deeper."""
    for name in ("again", "back"):
        (folder / name).symlink_to(folder)
        (folder / "2025" / name).symlink_to(folder)
        (folder / "2026" / name).symlink_to("../2025")
    assert names(folder, folder / pattern) == ["2025/x.jsonl", "2026/x.jsonl"]


def test_a_link_that_leads_elsewhere_is_followed(
    folder: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What lies on another disk is meant."""
    other = tmp_path_factory.mktemp("disk")
    (other / "y.jsonl").write_text("1\n")
    (folder / "disk").symlink_to(other)
    assert names(folder, folder / "**" / "*.jsonl") == ["2025/x.jsonl", "2026/x.jsonl", "disk/y.jsonl"]
    assert names(folder, folder / "**" / "disk" / "*.jsonl") == ["disk/y.jsonl"]


def test_a_pattern_may_name_the_link(folder: pathlib.Path) -> None:
    """The only name that matches is the file's."""
    (folder / "latest").symlink_to("2026")
    assert names(folder, folder / "**" / "latest" / "*.jsonl") == ["latest/x.jsonl"]


@pytest.mark.parametrize(
    ("link", "name", "kept"), [(os.symlink, "a", "x"), (os.symlink, "y", "x"), (os.link, "a", "a"), (os.link, "y", "x")]
)
def test_a_link_to_a_file_is_another_name(folder: pathlib.Path, link: Any, name: str, kept: str) -> None:
    """Both kinds of link are. Of two hard links, neither is the file's own name, and the first is kept."""
    link(folder / "2026" / "x.jsonl", folder / "2026" / f"{name}.jsonl")
    listed = [folder / f"2026/{name}.jsonl", folder / "**/*.jsonl"]
    assert names(folder, folder / "**" / "*.jsonl") == ["2025/x.jsonl", f"2026/{kept}.jsonl"]
    assert names(folder, listed) == [f"2026/{name}.jsonl", "2025/x.jsonl"]


def test_two_patterns_and_a_path_may_name_a_file(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However it is written, the first of the list wins; the log says how many names were left out."""
    monkeypatch.chdir(folder)
    (folder / "latest").symlink_to("2026")
    caplog.set_level(logging.INFO)
    listed = ["2026/x.jsonl", f"{folder}/2026/../2026/x.jsonl", "*/x.jsonl", f"{folder}/**", f"file://{folder}/2025/*"]
    assert [str(path) for path in find_files(listed).values()] == ["2026/x.jsonl", "2025/x.jsonl"]
    assert "more names of its 2 files are left out: each file is read once" in caplog.text


def test_nothing_is_said_where_nothing_is_left_out(folder: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    """Two files, two names."""
    caplog.set_level(logging.INFO)
    assert len(find_files(folder / "**")) == 2
    assert caplog.text == ""


def test_a_link_to_itself_is_refused(folder: pathlib.Path) -> None:
    """No retry mends it."""
    (folder / "loop.jsonl").symlink_to("loop.jsonl")
    with pytest.raises(SourceError, match=r"loop\.jsonl': it is a link that points to itself"):
        open_source(folder / "*.jsonl")


def test_a_folder_that_cannot_be_looked_into_is_named(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may hold files that are missed. Tests may run as root, whom no mode of a folder keeps out."""
    listed = pathlib.Path.iterdir

    def closed(path: pathlib.Path) -> Any:
        if path.name == "2025":
            raise PermissionError
        return listed(path)

    monkeypatch.setattr(pathlib.Path, "iterdir", closed)
    assert names(folder, folder / "**") == ["2026/x.jsonl"]
    assert "2025' is left out, it can't be listed: PermissionError" in caplog.text


def test_hidden_folders_are_passed_over(folder: pathlib.Path) -> None:
    """They hold, for example, the files of a version control system."""
    (folder / "2025").rename(folder / ".2025")
    assert names(folder, folder / "**" / "*.jsonl") == ["2026/x.jsonl"]


def test_a_folder_may_be_called_like_a_pattern(folder: pathlib.Path) -> None:
    """A folder that `**` has found is no pattern, whatever its name."""
    (folder / "2025").rename(folder / "[2025]*")
    assert names(folder, folder / "**" / "*.jsonl") == ["2026/x.jsonl", "[2025]*/x.jsonl"]
