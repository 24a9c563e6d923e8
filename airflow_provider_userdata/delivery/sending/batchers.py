"""Chooses how a vendor's records are batched."""

from __future__ import annotations

from airflow_provider_userdata.delivery.sending.batcher import GroupBatcher, OrderedBatcher
from airflow_provider_userdata.delivery.sending.user_batcher import UserBatcher
from airflow_provider_userdata.vendors import BatchLimits

Batcher = OrderedBatcher | GroupBatcher | UserBatcher
"""Takes records in the source's order, and returns batches in the order in which they may be sent."""


def batcher(limits: BatchLimits) -> Batcher:
    """Return the batcher for a vendor's limits."""
    if limits.one_user:
        return UserBatcher(limits)
    return GroupBatcher(limits) if limits.user_once else OrderedBatcher(limits)
