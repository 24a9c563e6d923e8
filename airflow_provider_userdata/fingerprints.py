"""Fingerprints of what was delivered: 16 bytes, keyed, so that nobody can try out values without the secret.

A cryptographic hash of each record would take a third of the time that a sample takes, most of it to create the hash
object. So records are hashed by XXH3, seeded from the secret, and thousands of hashes go through a one-way function in
one call: AES, keyed from the secret, with its input XORed to its output (Matyas, Meyer, Oseas). To anyone without the
secret, the result is a random function of the hash. With the secret, values can be tried out, as with any keyed hash,
but no hash can be computed from a fingerprint.
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
"""Bytes of a key, and of a fingerprint. By chance, no two of ten million are equal."""

USER_SIZE = 8
"""First bytes of a key that name the user, where a stream holds many records of a user."""


class Fingerprints:
    """Makes keys and fingerprints.

    :param secret: keys the fingerprints; at least 16 bytes. Another secret gives other fingerprints.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < KEY_SIZE:
            raise ValueError(f"a ledger's secret has at least {KEY_SIZE} bytes")
        self._seed = int.from_bytes(_derived(secret, b"seed")[:8], "big")
        # ECB maps equal blocks to equal blocks: wrong for messages, but needed here, where each block is one hash.
        self._cipher = Cipher(AES(_derived(secret, b"records")), ECB())  # noqa: S305
        self.check = _derived(secret, b"check").hex()
        """Tells two secrets apart, and reveals nothing else of them."""

    def of_all(self, records: Iterable[bytes]) -> bytes:
        """Return the fingerprints of records, joined."""
        hashes = b"".join(map(xxh3_128_digest, records, repeat(self._seed)))
        return _added(self._cipher.encryptor().update(hashes), hashes)

    def of_all_users(self, users: Collection[str | bytes]) -> bytes:
        """Return users' keys, joined. Where a user has many entries, only a key's first `USER_SIZE` bytes count."""
        try:
            return self.of_all([user if isinstance(user, bytes) else user.encode() for user in users])
        except UnicodeEncodeError:  # a lone surrogate
            return self.of_all(map(_as_bytes, users))

    def keys_by_partition(
        self, records: Iterable[bytes], partitions: Sequence[str | bytes], size: int
    ) -> tuple[bytes, list[bytes]]:
        """Return the keys of records, joined, and the first bytes of each partition's keys.

        :param partitions: each record's partition, such as its user.
        :param size: how many bytes of a key name the partition; the others are the record's.
        """
        names = set(partitions)
        beginnings = dict(zip(names, split(self.of_all_users(names)), strict=True))
        one = len(names) == 1
        partition_bytes = (
            beginnings[partitions[0]] * len(partitions) if one else b"".join(map(beginnings.__getitem__, partitions))
        )
        keys = bytearray(self.of_all(records))
        for place in range(size):
            keys[place::KEY_SIZE] = partition_bytes[place::KEY_SIZE]
        return bytes(keys), [beginning[:size] for beginning in beginnings.values()]


def split(joined: bytes) -> list[bytes]:
    """Return keys or fingerprints one by one."""
    return list(chain.from_iterable(struct.iter_unpack(f"{KEY_SIZE}s", joined)))


def _added(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _as_bytes(user: str | bytes) -> bytes:
    return user if isinstance(user, bytes) else user.encode("utf-8", "surrogatepass")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret, digest_size=32, person=purpose).digest()
