"""Checks that written files are still there: they may be removed, replaced or emptied during a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_provider_userdata.errors import OutputError

_LOST = "while the run was under way: what stood there is lost. To send all again, set resume=False"


def check_file(path: Path, file: int, written: int) -> None:
    """Check that a path still leads to an open file, by its descriptor, with all bytes that were written to it.

    :raises OutputError: if it doesn't.
    """
    try:
        there = path.stat()
    except FileNotFoundError:
        raise OutputError(f"output_path: {path} was removed {_LOST}") from None
    except OSError as error:
        raise OutputError(f"output_path: {path} can't be looked at: {error.strerror}") from error
    if not os.path.samestat(there, os.fstat(file)):
        raise OutputError(f"output_path: {path} was replaced by another file {_LOST}")
    if there.st_size < written:
        raise OutputError(f"output_path: {path} was cut short {_LOST}")


def check_folder(folder: Any, expected: Mapping[str, int]) -> None:
    """Check that files, given by name and bytes, are in a folder, and not shorter than they were.

    :raises OutputError: if one isn't.
    """
    if not expected:
        return
    try:
        there = _sizes(folder)
    except (FileNotFoundError, NotADirectoryError):  # the latter in a store, which has no empty folders
        there = {}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(f"output_path: {folder} can't be looked at: {reason}") from error
    for name, size in expected.items():
        if there.get(name, -1) < size:
            raise OutputError(f"output_path: {folder / name} was {'cut short' if name in there else 'removed'} {_LOST}")


def _sizes(folder: Any) -> dict[str, int]:
    """Return the bytes of each file in a folder, by its name, as they are now: some file systems remember a listing."""
    if (store := getattr(folder, "fs", None)) is not None:
        store.invalidate_cache()
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.name.endswith(".jsonl")}
