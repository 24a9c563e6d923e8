"""Functions that are called on many values at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.records.map_with_errors import each


@given(st.lists(st.sampled_from(["7", "12", "x", ""])))
def test_each_value_has_its_result_or_its_place(texts: list[str]) -> None:
    """Where the function raises, the place is named and the stand-in is there; all others are as alone."""
    results, raised = each(int, texts, ValueError, -1)

    assert raised == [place for place, text in enumerate(texts) if not text.isdigit()]
    assert results == [int(text) if text.isdigit() else -1 for text in texts]
