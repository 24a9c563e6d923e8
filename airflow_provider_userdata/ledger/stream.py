"""What a ledger's entries belong to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from airflow_provider_userdata.fingerprints import Fingerprints


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

    def row(self, fingerprints: Fingerprints) -> dict[str, str]:
        """Return what the ledger keeps of the stream. Its `identity` is 32 characters, its `owner` a fingerprint."""
        owner = fingerprints.of_all_users([self.user]).hex() if self.user and not self.name else ""
        parts = (self.name,) if self.name else (self.host.lower(), self.port, self.kind, owner)
        identity = hashlib.blake2b(json.dumps([self.vendor, *parts]).encode(), digest_size=16).hexdigest()
        own = {"vendor": self.vendor, "address": self.address, "kind": self.kind, "name": self.name}
        return {**own, "identity": identity, "owner": owner}
