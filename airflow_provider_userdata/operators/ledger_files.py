"""The files of the default ledger: its database, its secret, and the witness that shows that a ledger existed."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import quote

from airflow_provider_userdata.delivery.recording import PRIVATE_FILE, make_private_folder
from airflow_provider_userdata.errors import LedgerError
from airflow_provider_userdata.fingerprints import KEY_SIZE
from airflow_provider_userdata.ledger import WAYS_OUT
from airflow_provider_userdata.settings import home, setting


def default_file() -> Path:
    """Return the path of the ledger that is used if no connection is set."""
    return home() / "ledger.db"


def secret_file() -> Path:
    """Return the path of the default ledger's own secret, which is used if none is set."""
    return home() / "ledger.secret"


def witness_file() -> Path:
    """Return the path of the file that names the ledger used last on this machine: one for each ledger's connection."""
    conn_id = setting("ledger_conn_id")
    return home() / (f"ledger-{quote(conn_id, safe='')}.identity" if conn_id else "ledger.identity")


def prepare() -> None:
    """Create the ledger's file. Its secret is created later: if the secret exists, the ledger existed too.

    :raises LedgerError: if the file or the secret existed before and is gone, or the folder can't be used.
    """
    file = default_file()
    if is_missing():
        if not file.exists():
            raise LedgerError(f"the ledger {file} is missing, though tasks have used it before: {WAYS_OUT}")
        raise LedgerError(
            f"the ledger's secret {secret_file()} is missing, and with another secret nothing in the ledger can be "
            f"found: {WAYS_OUT}"
        )
    _create(file)


def is_missing() -> bool | None:
    """Return whether the file or the secret existed before and is gone; None if neither ever existed."""
    file, secret = default_file(), secret_file()
    used = secret.exists() or witness_file().exists()  # before the file, which is created first
    if not file.exists():
        return True if used else None
    # Checked in this order: a first run creates the secret before it writes the file.
    return file.is_file() and file.stat().st_size > 0 and _keeps_secret() and not secret.exists()


def kept_secret(*, begin: bool) -> bytes:
    """Return the secret beside the default ledger. The first run creates it; of two concurrent first runs, one does.

    :param begin: whether to create it if it is missing.
    :raises LedgerError: if it can't be read, or is truncated.
    """
    path = secret_file()
    try:
        if begin and not path.exists():
            _create_secret(path)
        kept = path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise LedgerError(
            f"the ledger's secret {path} can't be read: {type(error).__name__}; without it nothing in the ledger can "
            f"be found: {WAYS_OUT}"
        ) from None
    if len(kept) < KEY_SIZE:
        raise LedgerError(f"the ledger's secret {path} is truncated: {WAYS_OUT}")
    return kept.encode()


def renew() -> None:
    """Create the file and the secret if they are missing, or if the secret can't be used.

    :raises LedgerError: if the folder can't be used.
    """
    _create(default_file())
    if not has_secret():
        secret_file().unlink(missing_ok=True)
        kept_secret(begin=True)


def has_secret() -> bool:
    """Return whether the secret is set, or exists and can be used."""
    try:
        return not _keeps_secret() or bool(kept_secret(begin=False))
    except LedgerError:
        return False


def _keeps_secret() -> bool:
    return setting("ledger_secret") is None


def _create(file: Path) -> None:
    try:
        make_private_folder(file.parent)
        file.touch(mode=PRIVATE_FILE)
    except OSError as error:
        raise LedgerError(f"the ledger {file} can't be created: {error.strerror}") from None


def _create_secret(path: Path) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    part.touch(mode=PRIVATE_FILE)
    part.write_text(secrets.token_hex(32), "ascii")
    try:
        path.hardlink_to(part)  # atomic, and never replaces another run's
    except FileExistsError:
        pass
    finally:
        part.unlink()
