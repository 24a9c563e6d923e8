"""Fingerprints of what was delivered: 16 bytes, keyed, so that nobody can try out values without the secret."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

KEY_SIZE = 16
"""Bytes of a key, and of a fingerprint: among ten million, two that are alike by chance are not to be expected."""

USER_SIZE = 8
"""Bytes at the beginning of a key that stand for the user, where a stream holds many records of one."""


class Fingerprints:
    """Makes keys and fingerprints.

    :param secret: what they are keyed with, at least 16 bytes. Other secrets give other fingerprints.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < KEY_SIZE:
            raise ValueError(f"a ledger's secret has at least {KEY_SIZE} bytes")
        # A copy of a keyed hash costs two thirds of making one with its key.
        self._copy = hashlib.blake2b(key=_derived(secret, b"records"), digest_size=KEY_SIZE).copy
        self.check = _derived(secret, b"check").hex()
        """Tells one secret from another, and tells nothing else of it."""

    def of(self, data: bytes) -> bytes:
        """Give the fingerprint of a record's bytes."""
        made = self._copy()
        made.update(data)
        return made.digest()

    def each_of(self, records: Iterable[bytes]) -> list[bytes]:
        """Give the fingerprints of records."""
        copy = self._copy
        digests = []
        for data in records:
            made = copy()
            made.update(data)
            digests.append(made.digest())
        return digests

    def each_on_shelf(self, records: Iterable[bytes], shelves: Sequence[str], size: int) -> list[bytes]:
        """Give the keys of records that lie on shelves: those of one shelf begin alike.

        :param size: bytes of a key that stand for the shelf; the others are the record's.
        """
        beginnings = {shelf: self.of_user(shelf)[:size] for shelf in set(shelves)}
        made = self.each_of(records)
        return [beginnings[shelf] + digest[size:] for digest, shelf in zip(made, shelves, strict=True)]

    def of_all(self, records: Iterable[bytes]) -> bytes:
        """Give the fingerprints of records, joined."""
        return b"".join(self.each_of(records))

    def of_user(self, user: str) -> bytes:
        """Give a user's key: whole where a user is one entry, its first `USER_SIZE` bytes where a user has many."""
        return self.of(user.encode("utf-8", "surrogatepass"))


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret, digest_size=32, person=purpose).digest()
