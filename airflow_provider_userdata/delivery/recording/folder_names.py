"""Names of folders, for the ids of DAGs, runs and tasks."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

LONGEST_NAME = 255
"""Bytes of a folder's name, the limit of the file systems of Linux and macOS."""


def folder_name(name: str) -> str:
    """Return the folder name for a name: unique, and always the same, because later runs look for it.

    Characters beyond ASCII take up to twelve bytes each. A name that becomes too long is cut, and ends with a digest.
    """
    written = quote(name, safe=" :+@=,()[]~") if name.strip(".") else name.replace(".", "%2E")
    if len(written) <= LONGEST_NAME:
        return written
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{written[: LONGEST_NAME - len(digest) - 1]}~{digest}"
