"""Reads records from lists, files, databases and functions, in chunks."""

from __future__ import annotations

from airflow_provider_userdata.delivery.preparing import Column, Constant, Number, Timestamp
from airflow_provider_userdata.delivery.recording import RejectedLine
from airflow_provider_userdata.sources.airflow_lookups import storage_path
from airflow_provider_userdata.sources.corrections import REFORMATTED, Corrections
from airflow_provider_userdata.sources.describing import argument_label, described, label
from airflow_provider_userdata.sources.file_source import FileSource
from airflow_provider_userdata.sources.fix_changes import Change, Changes
from airflow_provider_userdata.sources.fix_users import UserCells
from airflow_provider_userdata.sources.opening import Surroundings, open_source
from airflow_provider_userdata.sources.paths import path_of
from airflow_provider_userdata.sources.reject_cells import (
    ABOUT,
    MISFIT,
    WHOLE,
    cell_of,
    fields_of,
    is_misfit,
    mark_of,
    misfit_of,
)
from airflow_provider_userdata.sources.rejects_files import OF_COMMANDS
from airflow_provider_userdata.sources.rejects_source import RejectsSource
from airflow_provider_userdata.sources.row_reader import read
from airflow_provider_userdata.sources.shapes import Parts
from airflow_provider_userdata.sources.sql import SqlSource
from airflow_provider_userdata.sources.untemplated import as_text, hold, is_location, unhold
from airflow_provider_userdata.sources.xlsx import XlsxError, XlsxWriter

__all__ = [
    "ABOUT",
    "MISFIT",
    "OF_COMMANDS",
    "REFORMATTED",
    "WHOLE",
    "Change",
    "Changes",
    "Column",
    "Constant",
    "Corrections",
    "FileSource",
    "Number",
    "Parts",
    "RejectedLine",
    "RejectsSource",
    "SqlSource",
    "Surroundings",
    "Timestamp",
    "UserCells",
    "XlsxError",
    "XlsxWriter",
    "argument_label",
    "as_text",
    "cell_of",
    "described",
    "fields_of",
    "hold",
    "is_location",
    "is_misfit",
    "label",
    "mark_of",
    "misfit_of",
    "open_source",
    "path_of",
    "read",
    "storage_path",
    "unhold",
]
