"""Takes the vendor's fields from rows, and has the vendor check them, many at once where that works."""

from __future__ import annotations

from airflow_provider_userdata.delivery.preparing.field_map import FieldMap
from airflow_provider_userdata.delivery.preparing.preparer import Preparer
from airflow_provider_userdata.delivery.preparing.tables import value_of
from airflow_provider_userdata.delivery.preparing.words import Column, Constant, Number, Timestamp, Word

__all__ = ["Column", "Constant", "FieldMap", "Number", "Preparer", "Timestamp", "Word", "value_of"]
