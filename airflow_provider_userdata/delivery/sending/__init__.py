"""Sends batches: batching, requests in flight, rate limits, retries, bisection of refused batches, HTTP."""

from __future__ import annotations

from airflow_provider_userdata.delivery.sending.batcher import Batch, batcher
from airflow_provider_userdata.delivery.sending.bisection import BLIND_LEVELS, BLIND_REQUESTS, BisectionBudget
from airflow_provider_userdata.delivery.sending.dispatcher import Dispatcher
from airflow_provider_userdata.delivery.sending.failures import Failure
from airflow_provider_userdata.delivery.sending.request_size import Sizes
from airflow_provider_userdata.delivery.sending.sender import GaveUp, OnDoubt, Outcome, Patience, Sender
from airflow_provider_userdata.delivery.sending.throttle import Throttle
from airflow_provider_userdata.delivery.sending.transport import Endpoint, Transport

__all__ = [
    "BLIND_LEVELS",
    "BLIND_REQUESTS",
    "Batch",
    "BisectionBudget",
    "Dispatcher",
    "Endpoint",
    "Failure",
    "GaveUp",
    "OnDoubt",
    "Outcome",
    "Patience",
    "Sender",
    "Sizes",
    "Throttle",
    "Transport",
    "batcher",
]
