"""Delivers a source to a vendor: read, validate, send, record, resume. Knows no vendor and no Airflow."""

from __future__ import annotations

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.report import Fate, Report
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.status import Observer, Status
from airflow_provider_userdata.delivery.supervisor import Supervisor

__all__ = ["Delivery", "Fate", "Observer", "Plan", "Report", "Result", "Status", "Supervisor"]
