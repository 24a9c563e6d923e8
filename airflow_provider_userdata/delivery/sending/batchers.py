"""Chooses how a vendor's records are batched."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_userdata.delivery.sending.batcher import GroupBatcher, OrderedBatcher
from airflow_provider_userdata.delivery.sending.few_records import FewRecords
from airflow_provider_userdata.delivery.sending.user_batcher import UserBatcher
from airflow_provider_userdata.vendors import BatchLimits

Batcher = OrderedBatcher | GroupBatcher | UserBatcher
"""Takes records in the source's order, and returns batches in the order in which they may be sent."""


def batcher(limits: BatchLimits, folder: Path | None = None) -> Batcher:
    """Return the batcher for a vendor's limits.

    :param folder: where a file may be made for records that are too many for memory.
    """
    if limits.one_user:
        return UserBatcher(limits, few=FewRecords(folder))
    return GroupBatcher(limits) if limits.user_once else OrderedBatcher(limits)
