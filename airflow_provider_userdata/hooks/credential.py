"""Reads and checks a connection's password, which is the vendor's key or token."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_userdata.errors import ConnectionSettingsError
from airflow_provider_userdata.hooks.extras import wrong

_UNSEEN = "\ufeff\u200b\u2060"
_QUOTES = frozenset({'""', "''", "``", "“”", "„“", "«»"})
_HEADER = re.compile(r"""\W*(?:-H\W+)?(Authorization|x-api-key)["']?\s*[:=]""", re.IGNORECASE)
_BEARER = re.compile(r"\W*bearer[\s:]", re.IGNORECASE)


def credential(connection: Any, called: str) -> str:
    """Return a connection's password.

    :param connection: an Airflow connection.
    :param called: the vendor's name for it.
    :raises ConnectionSettingsError: if there is none, if a header can't carry it, or if other text was pasted with it.
    """
    password = connection.password or ""
    if not password.strip():
        raise ConnectionSettingsError(f"connection {connection.conn_id!r} has no password: it is the vendor's {called}")
    if found := beside_the_key(password):
        raise wrong(connection, f"the password contains {found}; it must be the vendor's {called} and nothing else")
    return str(password)


def beside_the_key(password: str) -> str | None:
    """Return a description of text in a password that is not part of a key; None if there is none.

    :param password: is not blank.
    """
    bare = password.strip().strip(_UNSEEN)
    if header := _HEADER.match(bare):
        return f"{'Authorization' if header[1][0] in 'aA' else 'x-api-key'!r} before it"
    if _BEARER.match(bare):
        return "'Bearer' before it"
    if bare[0] + bare[-1] in _QUOTES and len(bare) > 1:
        return "quotes around it"
    if bare != password:
        return "a blank or a line break at its end"
    return None if bare.isascii() and bare.isprintable() else "a character that no header can carry"
