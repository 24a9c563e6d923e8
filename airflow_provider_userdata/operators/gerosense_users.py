"""Checks the arguments that say whose GeroSense samples are (G14)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.vendors.gerosense_sample import FIELDS, REQUIRED_FIELDS
from airflow_provider_userdata.vendors.gerosense_user import (
    BIOLOGICAL_SEX,
    USER_FIELDS,
    USER_ID,
    YEAR_OF_BIRTH,
    UserColumns,
)


def columns(user_id: object, register: object, *, mapped: bool) -> UserColumns | None:
    """Return where a record says whose it is; None if all records are one user's.

    :param mapped: whether `fields` gives these columns their own names.
    """
    if user_id is None:
        if register is not None:
            raise ArgumentError("register: needs `user_id`, the column with the user's id")
        return None
    if not isinstance(user_id, str) or not user_id.strip():
        raise ArgumentError("user_id: must be the name of a column")
    found = UserColumns(user_id, *_registering(register))
    if mapped:
        return UserColumns(USER_ID) if register is None else UserColumns(USER_ID, BIOLOGICAL_SEX, YEAR_OF_BIRTH)
    if taken := sorted(FIELDS.intersection(found.names)):
        raise ArgumentError(f"user_id, register: a sample has fields of the names {taken}; map them with `fields`")
    if len(set(found.names)) < len(found.names):
        raise ArgumentError("user_id, register: name a column twice")
    return found


def required_fields(found: UserColumns | None) -> Collection[str]:
    """Return the fields that records must have.

    :param found: where a record says whose it is, if it does.
    """
    return REQUIRED_FIELDS if found is None else REQUIRED_FIELDS.union(found.names)


def field_map(fields: object, user_id: str | None, register: object, required: Collection[str]) -> FieldMap | None:
    """Return where fields come from; whose a record is and what registers its user are taken, too."""
    known = FIELDS
    if isinstance(fields, Mapping) and fields and user_id is not None:
        registering = register if isinstance(register, Mapping) else {}
        fields, known = {USER_ID: user_id, **registering, **fields}, FIELDS | USER_FIELDS
    return arguments.field_map(fields, known, required)


def _registering(register: object) -> tuple[str | None, str | None]:
    if register is None:
        return None, None
    names = (BIOLOGICAL_SEX, YEAR_OF_BIRTH)
    if not isinstance(register, Mapping) or set(register) != set(names):
        raise ArgumentError(f"register: must name the columns of {' and '.join(map(repr, names))}, and no others")
    sex, year = (register[name] for name in names)
    if not all(isinstance(column, str) and column.strip() for column in (sex, year)):
        raise ArgumentError("register: must map each to the name of a column")
    return sex, year


def check(found: UserColumns | None, token: object, *, direct: bool, connection: str) -> None:
    """Check that the arguments and the connection fit each other.

    :param token: what gives a user's token, or None.
    :param direct: whether the connection leads to the direct API.
    """
    where = f"connection {connection!r}"
    if token is not None:
        if not callable(token) and not (isinstance(token, str) and token.strip()):
            raise ArgumentError("token: must be a function of the user's id, or a template with `user_id`")
        if direct:
            raise ArgumentError(f"token: is for users of a proxy, and {where} leads to the direct API")
        if found is None:
            raise ArgumentError("token: needs `user_id`, the column with the user's id")
    if direct and found is None:
        raise ArgumentError(f"user_id: must name the column with the user's id, as {where} leads to the direct API")
    if found is None or direct:
        return
    if token is None:
        raise ArgumentError(
            "user_id: a proxy's token stands for one user. For many, give `token`, or use the direct API: "
            f'"api": "direct" in the extra of {where}'
        )
    if found.biological_sex is not None:
        raise ArgumentError(f"register: needs the direct API, and {where} leads to a proxy")
