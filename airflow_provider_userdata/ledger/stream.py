"""What a ledger's entries belong to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from airflow_provider_userdata.ledger.fingerprints import Fingerprints


@dataclass(frozen=True, slots=True)
class Stream:
    """Where records go, and what they are. No DAG and no task: either may be renamed, and nothing is sent again.

    :param vendor: the connection's type.
    :param host: of the connection.
    :param port: of the connection, or None for the scheme's own.
    :param kind: the `data_type` or `upload_type`, or empty.
    :param user: whom all records of the stream are of, or empty. The ledger keeps a fingerprint of it.
    :param name: the author's own, which stands for all but the vendor.
    """

    vendor: str
    host: str = ""
    port: int | None = None
    kind: str = ""
    user: str = ""
    name: str = ""

    def __str__(self) -> str:
        if self.name:
            return f"{self.vendor} {self.name!r}"
        return " ".join(filter(None, (self.vendor, self.address, self.kind)))

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    def owner(self, fingerprints: Fingerprints) -> str:
        """Give the user's fingerprint, as the ledger keeps it, or an empty text."""
        return fingerprints.of_user(self.user).hex() if self.user and not self.name else ""

    def identity(self, fingerprints: Fingerprints) -> str:
        """Give what tells this stream from all others, in 32 characters."""
        if self.name:
            parts: list[object] = [self.vendor, self.name]
        else:
            parts = [self.vendor, self.host.lower(), self.port, self.kind, self.owner(fingerprints)]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
