"""What each vendor declares: its records, limits and requests, and what its answers mean. A file a vendor."""

from __future__ import annotations

from airflow_provider_userdata.vendors.answers import (
    PROXY_WANTS_CREDENTIALS,
    Accepted,
    Answer,
    Meaning,
    Refused,
    Retry,
    Stop,
    Unproven,
    UserRefused,
    shared_meaning,
    took_nothing,
)
from airflow_provider_userdata.vendors.contract import (
    BatchLimits,
    Checked,
    LedgerMode,
    Moment,
    Request,
    Table,
    Vendor,
    sorted_out,
)
from airflow_provider_userdata.vendors.rules import (
    HELD_TOO_LONG,
    LEFT_AT_THE_END,
    NOT_ACCEPTED,
    OUT_OF_REACH,
    REFUSALS,
    UNANSWERED,
    UNREADABLE,
    WRONG_ACCESS,
    by_rule,
)
from airflow_provider_userdata.vendors.rules import SHARED as SHARED_RULES

__all__ = [
    "HELD_TOO_LONG",
    "LEFT_AT_THE_END",
    "NOT_ACCEPTED",
    "OUT_OF_REACH",
    "PROXY_WANTS_CREDENTIALS",
    "REFUSALS",
    "SHARED_RULES",
    "UNANSWERED",
    "UNREADABLE",
    "WRONG_ACCESS",
    "Accepted",
    "Answer",
    "BatchLimits",
    "Checked",
    "LedgerMode",
    "Meaning",
    "Moment",
    "Refused",
    "Request",
    "Retry",
    "Stop",
    "Table",
    "Unproven",
    "UserRefused",
    "Vendor",
    "by_rule",
    "shared_meaning",
    "sorted_out",
    "took_nothing",
]
