"""Names of what an upload reads and writes, for lineage: as OpenLineage's naming conventions have it. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from airflow_provider_userdata.sources import FileSource, as_text, is_location, unhold

_WILDCARD = re.compile(r"[*?\[]")
_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}


class DatasetName(NamedTuple):
    """What a dataset is called.

    :param namespace: where it is: a host, a bucket, or this machine's files.
    :param name: what it is called there.
    """

    namespace: str
    name: str


def written(url: str, path: str, kind: str) -> DatasetName:
    """Return the name of what a vendor holds: the address of its host, and below it the API's path and the kind.

    :param url: the connection's address.
    :param path: the path of the vendor's API.
    :param kind: the kind of records; empty if the vendor has one only.
    """
    base = urlsplit(url)
    host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
    port = f":{base.port}" if base.port else ""
    below = "/".join(part for part in (base.path.strip("/"), path.strip("/"), quote(kind, safe="")) if part)
    return DatasetName(f"{base.scheme}://{host}{port}", f"/{below}")


def read_by(source: object) -> list[DatasetName]:
    """Return the names of the files and folders that a source reads, each once; empty if it also reads anything else.

    Records, queries, frames and functions have no name.

    :param source: an operator's `source`, after its templates were rendered.
    """
    value = unhold(source)
    if isinstance(value, FileSource):
        value = value.path
    if is_location(value):
        return [_of_path(str(as_text(value)))]
    if not isinstance(value, (list, tuple)):
        return []
    parts = [read_by(part) if isinstance(part, FileSource) or is_location(part) else [] for part in value]
    return _each_once(name for part in parts for name in part) if all(parts) else []


def _of_path(text: str) -> DatasetName:
    """Return the name of a file; of a pattern, that of the folder below which it matches."""
    scheme, marked, rest = text.partition("://")
    if not marked:
        return DatasetName("file", _without_wildcards(str(Path(text).absolute())))
    place, _, key = rest.partition("/")
    if scheme.lower() in ("file", "local"):
        return DatasetName("file", _without_wildcards(f"/{key}"))
    place = place.rpartition("@")[2]  # Airflow's connection, or a credential
    return DatasetName(f"{_SCHEMES.get(scheme.lower(), scheme.lower())}://{place}", _without_wildcards(key) or "/")


def _without_wildcards(path: str) -> str:
    wildcard = _WILDCARD.search(path)
    return path if wildcard is None else path[: wildcard.start()].rpartition("/")[0]


def _each_once(names: Iterable[DatasetName]) -> list[DatasetName]:
    return list(dict.fromkeys(names))
