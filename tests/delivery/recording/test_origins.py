"""Where a row stands in its file is known until it has its fate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.delivery.recording import Origins

CHUNKS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans(), st.lists(st.integers(1, 4), min_size=1)),
    max_size=8,
)


@given(chunks=CHUNKS, below=st.integers(0, 60))
def test_each_row_has_its_line(chunks: list[tuple[int, str, bool, list[int]]], below: int) -> None:
    """Whatever chunks there were, with rows of no file between them; forgetting drops none that may be asked for."""
    origins, expected, position, line = Origins(), {}, 0, 0
    for between, file, follow, steps in chunks:
        position += between
        lines: list[int] = []
        for step in steps:
            line += 1 if follow else step
            lines.append(line)
        origins.add(position, file, range(lines[0], lines[-1] + 1) if follow else lines)
        expected.update({position + place: (file, number) for place, number in enumerate(lines)})
        position += len(lines)

    origins.forget_below(below)

    for place in range(below, position + 5):
        assert origins.of(place) == expected.get(place, (None, None))


def test_chunks_that_follow_each_other_are_one() -> None:
    """Their lines are known across them."""
    origins = Origins()
    for first in range(0, 1_000_000, 1_000):
        origins.add(first, "a.jsonl", range(first + 1, first + 1_001))

    assert origins.of(999_999) == ("a.jsonl", 1_000_000)
