"""What a ledger's entries belong to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from airflow_provider_userdata.ledger.fingerprints import Fingerprints


@dataclass(frozen=True, slots=True)
class Stream:
    """Where records go, and what they are. Names no DAG and no task: renaming one causes no resend.

    :param vendor: the connection's type.
    :param host: the connection's host.
    :param port: the connection's port; None for the scheme's default.
    :param kind: the `data_type` or `upload_type`, or empty.
    :param user: the one user of all records, or empty. The ledger keeps only its fingerprint.
    :param name: the DAG author's name for the stream, in place of all but the vendor.
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
        """Return the user's fingerprint as the ledger keeps it, or an empty text."""
        return fingerprints.of_user(self.user).hex() if self.user and not self.name else ""

    def identity(self, fingerprints: Fingerprints) -> str:
        """Return 32 characters that identify the stream."""
        if self.name:
            parts: list[object] = [self.vendor, self.name]
        else:
            parts = [self.vendor, self.host.lower(), self.port, self.kind, self.owner(fingerprints)]
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
