"""Checks records against a vendor's declarations, and explains what is wrong with them."""

from __future__ import annotations

from airflow_provider_userdata.vendors.validation.agreed_format import AgreedFormat
from airflow_provider_userdata.vendors.validation.compiler import compiled
from airflow_provider_userdata.vendors.validation.fault import MOST_FAULTS, Fault, Invalid, json_path
from airflow_provider_userdata.vendors.validation.json_values import cell_value, decoded, encodable, encoded, is_shallow
from airflow_provider_userdata.vendors.validation.plain_values import (
    NAN,
    is_nan,
    is_utf_8,
    plain,
    plain_number,
    user_name,
)
from airflow_provider_userdata.vendors.validation.schema import Schema, names_of, rule, schema_of

__all__ = [
    "MOST_FAULTS",
    "NAN",
    "AgreedFormat",
    "Fault",
    "Invalid",
    "Schema",
    "cell_value",
    "compiled",
    "decoded",
    "encodable",
    "encoded",
    "is_nan",
    "is_shallow",
    "is_utf_8",
    "json_path",
    "names_of",
    "plain",
    "plain_number",
    "rule",
    "schema_of",
    "user_name",
]
