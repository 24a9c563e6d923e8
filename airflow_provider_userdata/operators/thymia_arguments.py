"""Checks the arguments of uploads to Thymia. It needs no Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from jsonschema.exceptions import SchemaError

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.sources import as_text, storage_path
from airflow_provider_userdata.vendors.pii import Guard
from airflow_provider_userdata.vendors.thymia import USER_LABEL, Thymia
from airflow_provider_userdata.vendors.validation import AgreedFormat


def contract(
    upload_type: object, *, label: str | None, data_schema: object, pii: object, pii_allowed: object
) -> Thymia:
    """Return the contract.

    :param label: the column with the label, as `label_column` returns it.
    """
    if not isinstance(upload_type, str) or not upload_type.strip() or upload_type in {".", ".."}:
        # It would change the request's address.
        raise ArgumentError("upload_type: must be the type that was agreed with Thymia, not blank, '.' or '..' (T4)")
    refuses = arguments.one_of("pii", pii, ("refuse", "allow")) == "refuse"
    allowed = arguments.names("pii_allowed", pii_allowed)
    guard = Guard(frozenset(allowed)) if refuses else None
    return Thymia(upload_type=upload_type, user_label=label, agreement=_agreement(data_schema), guard=guard)


def label_column(user_label: object, fields: object) -> str | None:
    """Return the column of flat records that holds the label; None if records are nested."""
    if user_label is None:
        return USER_LABEL if isinstance(fields, Mapping) and USER_LABEL in fields else None
    if not isinstance(user_label, str) or not user_label.strip():
        raise ArgumentError("user_label: must be the name of a column")
    return user_label


def field_map(fields: object, label: str | None) -> FieldMap | None:
    """Return where fields come from; the label is taken, too."""
    if isinstance(fields, Mapping) and fields and label is not None:
        fields = {label: label, **fields}
    return arguments.field_map(fields, None)


def _agreement(data_schema: object) -> AgreedFormat | None:
    if data_schema is None:
        return None
    schema: object = as_text(data_schema)
    if isinstance(schema, str):
        schema = _read_schema(schema)
    if not isinstance(schema, Mapping):
        raise ArgumentError("data_schema: must be a JSON Schema as a dictionary, or the path of one")
    try:
        return AgreedFormat(dict(schema), rule="T7", root=("data",))
    except SchemaError as error:
        raise ArgumentError(f"data_schema: is not a valid JSON Schema, at {error.json_path}") from None


def _read_schema(path: str) -> object:
    try:
        place = storage_path(path) if "://" in path else Path(path)
        schema: object = msgspec.json.decode(place.read_bytes())
    except OSError as error:
        raise ArgumentError(f"data_schema: {path} can't be read: {error.strerror or type(error).__name__}") from None
    except msgspec.DecodeError:
        raise ArgumentError(f"data_schema: {path} is not JSON") from None
    except (ValueError, ImportError) as error:  # a DecodeError is a ValueError too
        raise ArgumentError(f"data_schema: {path} can't be opened: {type(error).__name__}") from None
    return schema
