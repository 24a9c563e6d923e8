"""Sends the rejects of earlier runs again: each once, whatever ends a replay, and however many there are."""

from __future__ import annotations

from airflow_provider_userdata.delivery.replaying.replay import Replay

__all__ = ["Replay"]
