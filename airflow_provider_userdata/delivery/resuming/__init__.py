"""Saves how far a run got, and finds out where the next attempt goes on."""

from __future__ import annotations

from airflow_provider_userdata.delivery.resuming.checkpoint import Checkpoint, CheckpointStore, Completed, decoded
from airflow_provider_userdata.delivery.resuming.checkpoint_writer import Checkpointer, StoreWriter
from airflow_provider_userdata.delivery.resuming.correction import attempts_of_completed, correction
from airflow_provider_userdata.delivery.resuming.destination import Destination, destination
from airflow_provider_userdata.delivery.resuming.doubt import Doubt
from airflow_provider_userdata.delivery.resuming.interval_set import IntervalSet
from airflow_provider_userdata.delivery.resuming.last_fates import LastFate, last_fates
from airflow_provider_userdata.delivery.resuming.position_tracker import PositionTracker
from airflow_provider_userdata.delivery.resuming.recovery import Recovery, any_sent, recover
from airflow_provider_userdata.delivery.resuming.sent_log import SentLog
from airflow_provider_userdata.delivery.resuming.soundness import damaged, flaw

__all__ = [
    "Checkpoint",
    "CheckpointStore",
    "Checkpointer",
    "Completed",
    "Destination",
    "Doubt",
    "IntervalSet",
    "LastFate",
    "PositionTracker",
    "Recovery",
    "SentLog",
    "StoreWriter",
    "any_sent",
    "attempts_of_completed",
    "correction",
    "damaged",
    "decoded",
    "destination",
    "flaw",
    "last_fates",
    "recover",
]
