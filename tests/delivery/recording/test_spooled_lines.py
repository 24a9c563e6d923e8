"""Lines that are written once and read later are the same whether they are in memory or in a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.recording import SpooledLines, spooled_lines
from airflow_provider_userdata.errors import OutputError

LINES = st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=30)


@given(parts=st.lists(LINES, max_size=4), memory=st.sampled_from([1, 30, 1000]), block=st.integers(1, 40))
def test_any_lines(parts: list[list[bytes]], memory: int, block: int) -> None:
    """In their order, as often as one likes, and by several readers in turns."""
    with pytest.MonkeyPatch.context() as changes:
        changes.setattr(spooled_lines, "MOST_BYTES", memory)
        changes.setattr(spooled_lines, "_BLOCK", block)
        lines = SpooledLines()
        for part in parts:
            lines.extend(part)
        wanted = [line for part in parts for line in part]

        assert (len(lines), bool(lines)) == (len(wanted), bool(wanted))
        assert list(lines) == list(lines) == wanted
        assert list(zip(lines, lines, strict=True)) == [(line, line) for line in wanted]


def test_a_folder_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    """Once the file is needed; it never has a name."""
    lines = SpooledLines(tmp_path)
    lines.extend([b"x" * spooled_lines.MOST_BYTES] * 2)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="can't be used: No such file"):
        SpooledLines(tmp_path / "nowhere").extend([b"x" * spooled_lines.MOST_BYTES] * 2)
