"""Finds the files that a path with wildcards matches."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterator
from itertools import dropwhile
from pathlib import Path
from typing import Any, cast

from airflow_provider_userdata.delivery.recording import is_local
from airflow_provider_userdata.sources.airflow_lookups import is_folder, store_of
from airflow_provider_userdata.sources.formats import format_of

_log = logging.getLogger(__name__)
_MAGIC = re.compile(r"[*?\[]")
_Identity = tuple[int, int]


def is_pattern(path: Path | str) -> bool:
    """Return whether a path has wildcards."""
    return _MAGIC.search(str(path)) is not None


def matches(pattern: Path) -> Iterator[Path]:
    """Yield the files that a pattern matches, unsorted, each possibly under several names.

    A folder that is named like a file is yielded too: it is refused later, instead of being skipped in silence.

    :param pattern: a path with wildcards; `**` stands for folders, and at the end for files.
    """
    for path in _local(pattern) if is_local(pattern) else _stored(pattern):
        if format_of(path.name) is not None or not is_folder(path):
            yield path


def _local(pattern: Path) -> Iterator[Path]:
    # Unlike `Path.glob`, this skips hidden files, and `**` at the end matches files too.
    parts = pattern.parts
    if "**" not in parts:
        yield from map(Path, glob.iglob(str(pattern)))  # noqa: PTH207
        return
    stars = parts.index("**")
    above, below = Path(*parts[:stars]), [*dropwhile("**".__eq__, parts[stars:])] or ["*"]
    for base in [above] if above.is_dir() else map(Path, glob.iglob(str(above))):  # noqa: PTH207
        for folder in _folders(base, ()):
            yield from _local(Path(glob.escape(str(folder)), *below))


def _folders(folder: Path, above: tuple[_Identity, ...]) -> Iterator[Path]:
    """Yield a folder and those below it, following links, except a link to a folder above: that would be endless."""
    try:
        found = folder.stat()
        identity = (found.st_dev, found.st_ino)
        if identity in above:
            return
        below = sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    except OSError as error:
        _log.warning("source: folder %r is left out, it can't be listed: %s", str(folder), type(error).__name__)
        return
    yield folder
    for inner in below:
        yield from _folders(inner, (*above, identity))


def _stored(pattern: Path) -> Iterator[Path]:
    base = next(parent for parent in pattern.parents if not is_pattern(parent))
    store, top = store_of(base), cast("Any", base).path
    for name in store.glob(cast("Any", pattern).path):
        below = name.removeprefix(store._strip_protocol(top)).lstrip("/")
        if not any(part.startswith(".") for part in below.split("/")):
            yield base / below
