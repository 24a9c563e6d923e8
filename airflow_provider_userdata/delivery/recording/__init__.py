"""Writes the files of a run: receipts, rejects, and what was about to be sent."""

from __future__ import annotations

from airflow_provider_userdata.delivery.recording.announcements import Announcements
from airflow_provider_userdata.delivery.recording.append_log import (
    PRIVATE_FILE,
    Folder,
    cut_log,
    is_local,
    make_private_folder,
    numbered_lines,
    reached,
    read_log,
)
from airflow_provider_userdata.delivery.recording.attempt_files import (
    AttemptFiles,
    attempts_of,
    number_of,
    receipts_name,
    rejects_name,
    sent_name,
)
from airflow_provider_userdata.delivery.recording.attempt_lines import (
    RECEIPT_FIELDS,
    Count,
    Line,
    Range,
    ReceiptLine,
    RejectLine,
    SentLine,
)
from airflow_provider_userdata.delivery.recording.erased_lines import (
    blank,
    erased_original,
    erased_receipt,
    erased_reject,
)
from airflow_provider_userdata.delivery.recording.folder_names import folder_name
from airflow_provider_userdata.delivery.recording.found_files import FoundFile, contents, files_below
from airflow_provider_userdata.delivery.recording.originals import (
    beginning_of_original,
    original_in,
    read_originals,
    write_originals,
)
from airflow_provider_userdata.delivery.recording.origins import Origins
from airflow_provider_userdata.delivery.recording.overwriting import (
    OVERWRITING,
    Change,
    NewLine,
    finish_overwriting,
    overwrite,
)
from airflow_provider_userdata.delivery.recording.rejected_line import RejectedLine
from airflow_provider_userdata.delivery.recording.rejects import Rejection, write_rejects
from airflow_provider_userdata.delivery.recording.replay_marks import (
    MARKS,
    Marks,
    ReplayMarks,
    marks_name,
    marks_of,
    positions_of,
    read_marks,
    read_positions,
)
from airflow_provider_userdata.delivery.recording.spooled_lines import SpooledLines
from airflow_provider_userdata.delivery.recording.store_path import StorePath

__all__ = [
    "MARKS",
    "OVERWRITING",
    "PRIVATE_FILE",
    "RECEIPT_FIELDS",
    "Announcements",
    "AttemptFiles",
    "Change",
    "Count",
    "Folder",
    "FoundFile",
    "Line",
    "Marks",
    "NewLine",
    "Origins",
    "Range",
    "ReceiptLine",
    "RejectLine",
    "RejectedLine",
    "Rejection",
    "ReplayMarks",
    "SentLine",
    "SpooledLines",
    "StorePath",
    "attempts_of",
    "beginning_of_original",
    "blank",
    "contents",
    "cut_log",
    "erased_original",
    "erased_receipt",
    "erased_reject",
    "files_below",
    "finish_overwriting",
    "folder_name",
    "is_local",
    "make_private_folder",
    "marks_name",
    "marks_of",
    "number_of",
    "numbered_lines",
    "original_in",
    "overwrite",
    "positions_of",
    "reached",
    "read_log",
    "read_marks",
    "read_originals",
    "read_positions",
    "receipts_name",
    "rejects_name",
    "sent_name",
    "write_originals",
    "write_rejects",
]
