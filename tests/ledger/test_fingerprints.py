"""What the ledger knows records by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.ledger import Fingerprints

SECRET = b"a secret of the tests' own"


@given(st.lists(st.tuples(st.binary(max_size=300), st.text(max_size=3))), st.sampled_from([4, 8]))
def test_keys_of_one_shelf_begin_alike(records: list[tuple[bytes, str]], size: int) -> None:
    """And go on as the record's own fingerprint does, as in every ledger that was ever written."""
    fingerprints = Fingerprints(SECRET)
    keys = fingerprints.each_on_shelf([data for data, _ in records], [shelf for _, shelf in records], size)
    assert keys == [fingerprints.of_user(shelf)[:size] + fingerprints.of(data)[size:] for data, shelf in records]


def test_fingerprints_stay() -> None:
    """Another way to make them would send all again."""
    fingerprints = Fingerprints(SECRET)
    assert fingerprints.each_on_shelf([b"sample"], ["2024-05-01"], 4)[0].hex() == "a45a36eeac1c562da415c74841ae79ae"
    assert fingerprints.of_user("ann").hex() == "17e38fcc4ec800659d57b60953e33864"
