"""Sends batches: batching, requests in flight, rate limits, retries, bisection of refused batches, HTTP."""

from __future__ import annotations

from airflow_provider_userdata.delivery.sending.access import UnusableTokenError, UserHeaders
from airflow_provider_userdata.delivery.sending.batcher import Batch
from airflow_provider_userdata.delivery.sending.batchers import batcher
from airflow_provider_userdata.delivery.sending.bisection import BLIND_LEVELS, BLIND_REQUESTS, BisectionBudget
from airflow_provider_userdata.delivery.sending.dispatcher import Dispatcher
from airflow_provider_userdata.delivery.sending.exchange import Exchange, GaveUp, Outcome
from airflow_provider_userdata.delivery.sending.failures import Failure
from airflow_provider_userdata.delivery.sending.follow_ups import FollowUps
from airflow_provider_userdata.delivery.sending.introductions import Introductions
from airflow_provider_userdata.delivery.sending.login import access_of
from airflow_provider_userdata.delivery.sending.request_size import Sizes
from airflow_provider_userdata.delivery.sending.sender import OnDoubt, Patience, Sender
from airflow_provider_userdata.delivery.sending.throttle import Throttle
from airflow_provider_userdata.delivery.sending.transport import Endpoint, Transport

__all__ = [
    "BLIND_LEVELS",
    "BLIND_REQUESTS",
    "Batch",
    "BisectionBudget",
    "Dispatcher",
    "Endpoint",
    "Exchange",
    "Failure",
    "FollowUps",
    "GaveUp",
    "Introductions",
    "OnDoubt",
    "Outcome",
    "Patience",
    "Sender",
    "Sizes",
    "Throttle",
    "Transport",
    "UnusableTokenError",
    "UserHeaders",
    "access_of",
    "batcher",
]
