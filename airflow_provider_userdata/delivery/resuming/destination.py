"""Where a delivery's records go, to detect files and checkpoints that were left for another destination."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """Fingerprints: they can be compared, but neither an address nor a key can be read from them.

    :param address: of the vendor, and what kind of records it gets there.
    :param account: of the credential. It changes, too, if the key is renewed for the same account.
    """

    address: str = ""
    account: str = ""

    @property
    def name(self) -> str:
        """Both, for a file's name."""
        return _fingerprint(self.address, self.account)


def destination(vendor: str, address: str, kind: str, credential: str, name: str) -> Destination:
    """Make the fingerprints.

    :param address: host and port.
    :param kind: of the records.
    :param name: the author's own, which stands for address and credential, or empty.
    """
    if name:
        return Destination(_fingerprint(vendor, kind, name), "")
    where = _fingerprint(vendor, kind, "", address)
    return Destination(where, _fingerprint(where, credential))


def _fingerprint(*parts: str) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
