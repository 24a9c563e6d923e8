"""Fingerprints of what was delivered: 16 bytes, keyed, so that nobody can try out values without the secret.

A cryptographic hash of each record alone would take a third of the time of all that is done with a sample, nearly all
of it for making the hash's object. So records are hashed by XXH3, seeded from the secret, and thousands of hashes go
through a one-way function in one call: AES, keyed from the secret, with its input added to its output (Matyas, Meyer,
Oseas). Without the secret, that is a random function of the hash. With it, values can be tried out, as with any keyed
hash, and no hash can be worked back from a fingerprint.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection, Iterable, Sequence
from itertools import chain, repeat

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from xxhash import xxh3_128_digest

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
        self._seed = int.from_bytes(_derived(secret, b"seed")[:8], "big")
        # Each hash is a block of its own, and no two that differ give the same: what ECB is wrong for is wanted here.
        self._cipher = Cipher(AES(_derived(secret, b"records")), ECB())  # noqa: S305
        self.check = _derived(secret, b"check").hex()
        """Tells one secret from another, and tells nothing else of it."""

    def of(self, data: bytes) -> bytes:
        """Give the fingerprint of a record's bytes."""
        return self.of_all([data])

    def of_all(self, records: Iterable[bytes]) -> bytes:
        """Give the fingerprints of records, joined."""
        hashes = b"".join(map(xxh3_128_digest, records, repeat(self._seed)))
        return _added(self._cipher.encryptor().update(hashes), hashes)

    def of_user(self, user: str) -> bytes:
        """Give a user's key: whole where a user is one entry, its first `USER_SIZE` bytes where a user has many."""
        return self.of(_as_bytes(user))

    def of_all_users(self, users: Collection[str | bytes]) -> bytes:
        """Give users' keys, joined."""
        try:
            return self.of_all([user if isinstance(user, bytes) else user.encode() for user in users])
        except UnicodeEncodeError:  # a lone surrogate
            return self.of_all(map(_as_bytes, users))

    def all_on_shelves(
        self, records: Iterable[bytes], shelves: Sequence[str | bytes], size: int
    ) -> tuple[bytes, list[bytes]]:
        """Give the keys of records that lie on shelves, joined, and what they begin with: those of one shelf alike.

        :param shelves: as many; names of users, for one kind.
        :param size: bytes of a key that stand for the shelf; the others are the record's.
        """
        names = set(shelves)
        beginnings = dict(zip(names, split(self.of_all_users(names)), strict=True))
        one = len(names) == 1
        shelved = beginnings[shelves[0]] * len(shelves) if one else b"".join(map(beginnings.__getitem__, shelves))
        keys = bytearray(self.of_all(records))
        for place in range(size):
            keys[place::KEY_SIZE] = shelved[place::KEY_SIZE]
        return bytes(keys), [beginning[:size] for beginning in beginnings.values()]


def split(joined: bytes) -> list[bytes]:
    """Give keys or fingerprints one by one."""
    return list(chain.from_iterable(struct.iter_unpack(f"{KEY_SIZE}s", joined)))


def _added(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _as_bytes(user: str | bytes) -> bytes:
    return user if isinstance(user, bytes) else user.encode("utf-8", "surrogatepass")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret, digest_size=32, person=purpose).digest()
