"""Checks records against a vendor's declarations, and explains what is wrong with them."""

from __future__ import annotations

from airflow_provider_userdata.vendors.validation.explainer import (
    MOST_FAULTS,
    Explainer,
    agreed_validator,
    contract_validator,
)
from airflow_provider_userdata.vendors.validation.fault import Fault, Invalid, json_path
from airflow_provider_userdata.vendors.validation.json_values import cell_value, decoded, encodable, encoded, is_shallow
from airflow_provider_userdata.vendors.validation.plain_values import NAN, is_nan, plain, plain_number, user_name
from airflow_provider_userdata.vendors.validation.schema import Schema, names_of, rule, schema_of

__all__ = [
    "MOST_FAULTS",
    "NAN",
    "Explainer",
    "Fault",
    "Invalid",
    "Schema",
    "agreed_validator",
    "cell_value",
    "contract_validator",
    "decoded",
    "encodable",
    "encoded",
    "is_nan",
    "is_shallow",
    "json_path",
    "names_of",
    "plain",
    "plain_number",
    "rule",
    "schema_of",
    "user_name",
]
