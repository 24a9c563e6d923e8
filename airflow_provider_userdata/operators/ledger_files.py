"""The files of the default ledger: itself, its secret, and the witness that it was there."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import quote

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, make_private_folder
from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.ledger import KEY_SIZE
from airflow_provider_userdata.ledger.identity import WAYS_OUT


def default_file() -> Path:
    """Give the path of the ledger that is used where no connection is named."""
    home = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser().absolute()
    return home / "userdata" / "ledger.db"


def secret_file() -> Path:
    """Return the path of the default ledger's own secret."""
    return default_file().with_suffix(".secret")


def witness_file(conn_id: str | None) -> Path:
    """Return the path of the witness that a ledger was there.

    :param conn_id: the ledger's connection, or None for the default ledger.
    """
    name = "ledger" if conn_id is None else f"ledger-{quote(conn_id, safe='')}"
    return default_file().with_name(f"{name}.identity")


def prepare(*, secret: bool) -> None:
    """Make the file. The secret beside it is made later: where it is there, the ledger was, too.

    :param secret: whether the secret is kept in a file.
    :raises LedgerError: if the file or the secret was there before and is gone, or the folder can't be used.
    """
    file = default_file()
    if is_missing(secret=secret):
        if not file.exists():
            raise LedgerError(f"the ledger {file} is missing, though tasks have used it before: {WAYS_OUT}")
        raise LedgerError(
            f"the ledger's secret {secret_file()} is missing, and by another secret nothing in the ledger can be "
            f"found: {WAYS_OUT}"
        )
    _make(file)


def is_missing(*, secret: bool) -> bool | None:
    """Tell whether the file or the secret was there before and is gone; None where there has been nothing yet.

    :param secret: whether the secret is kept in a file.
    """
    file, kept = default_file(), secret_file()
    if not file.exists():
        return True if kept.exists() or witness_file(None).exists() else None
    # Asked in this order: a first run makes the secret before it writes the file.
    return file.is_file() and file.stat().st_size > 0 and secret and not kept.exists()


def kept_secret(*, begin: bool) -> bytes:
    """Give the secret beside the default ledger; the first run makes it, and of two first runs one.

    :param begin: whether it is made where it is missing.
    :raises LedgerError: if it can't be read, or is cut off.
    """
    path = secret_file()
    try:
        if begin and not path.exists():
            _make_secret(path)
        kept = path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise LedgerError(
            f"the ledger's secret {path} can't be read: {type(error).__name__}; without it nothing in the ledger can "
            f"be found: {WAYS_OUT}"
        ) from None
    if len(kept) < KEY_SIZE:
        raise LedgerError(f"the ledger's secret {path} is cut off: {WAYS_OUT}")
    return kept.encode()


def renew(*, secret: bool) -> None:
    """Make the file and the secret where they are missing, or the secret can't be used.

    :param secret: whether the secret is kept in a file.
    :raises LedgerError: if the folder can't be used.
    """
    _make(default_file())
    if not secret:
        return
    if not has_secret():
        secret_file().unlink(missing_ok=True)
        kept_secret(begin=True)


def has_secret() -> bool:
    """Tell whether the secret is there, and can be used."""
    try:
        return bool(kept_secret(begin=False))
    except LedgerError:
        return False


def _make(file: Path) -> None:
    try:
        make_private_folder(file.parent)
        file.touch(mode=PRIVATE_FILE)
    except OSError as error:
        raise LedgerError(f"the ledger {file} can't be made: {error.strerror}") from None


def _make_secret(path: Path) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    part.touch(mode=PRIVATE_FILE)
    part.write_text(secrets.token_hex(32), "ascii")
    try:
        path.hardlink_to(part)  # whole or not at all, and never over another's
    except FileExistsError:
        pass
    finally:
        part.unlink()
