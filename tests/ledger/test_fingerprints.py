"""What the ledger knows records by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_userdata.fingerprints import Fingerprints, split

SECRET = b"a secret of the tests' own"


@given(st.lists(st.tuples(st.binary(max_size=300), st.text(max_size=3))), st.sampled_from([4, 8]))
def test_keys_of_one_shelf_begin_alike(records: list[tuple[bytes, str]], size: int) -> None:
    """And go on as the record's own fingerprint does, as in every ledger that was ever written."""
    fingerprints = Fingerprints(SECRET)
    partitions = [partition for _, partition in records]
    keys, beginnings = fingerprints.keys_by_partition([data for data, _ in records], partitions, size)
    assert split(keys) == [
        fingerprints.of_all_users([partition])[:size] + fingerprints.of_all([data])[size:]
        for data, partition in records
    ]
    assert sorted(beginnings) == sorted(fingerprints.of_all_users([partition])[:size] for partition in set(partitions))


def test_fingerprints_stay() -> None:
    """Another way to make them would send all again."""
    fingerprints = Fingerprints(SECRET)
    key, _ = fingerprints.keys_by_partition([b"sample"], ["2024-05-01"], 4)
    assert key.hex() == "c55ae451fc5c7af81fbd6312bfae69e8"
    assert fingerprints.of_all_users(["ann"]).hex() == "8169b09fb31d33e2939040c2a4ddf5d8"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_many_at_once_are_as_each_alone(records: list[bytes]) -> None:
    """Whatever stands beside a record, and where."""
    fingerprints = Fingerprints(SECRET)
    assert split(fingerprints.of_all(records)) == [fingerprints.of_all([record]) for record in records]


def test_another_secret_gives_other_fingerprints() -> None:
    """In all their bytes, by any chance to speak of: nothing of a record shows without the secret."""
    one, other = (
        Fingerprints(secret).of_all(b"%d" % number for number in range(1000)) for secret in (SECRET, b"x" * 16)
    )
    alike = sum(a == b for a, b in zip(one, other, strict=True))
    assert alike < len(one) / 128
