"""What in a connection has no effect, or may not be meant so: no error, but worth a sentence."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata.hooks import address, extras, forms


def remarks(connection: Any, kind: str, *, uses_login: bool = False) -> list[str]:
    """Return a clause for each such setting, without its value: that may be a key in the wrong field.

    :param connection: an Airflow connection whose settings can be used.
    :param kind: its type, which says what its extra may hold.
    :param uses_login: whether its login has an effect.
    """
    found = address.doubtful_parts(connection)
    if connection.login and not uses_login:
        found.append("its login is not used: the key is the password")
    if str(extras.extra_value(connection, "allow_http")).strip().lower() not in {"none", "true", "false"}:
        found.append("'allow_http' in its extra is neither true nor false, and counts as false")
    if unknown := sorted(set(extras.extras(connection)) - forms.fields_of(kind).keys()):
        found.append(f"its extra has keys that are not used: {', '.join(map(repr, unknown))}")
    return found
