"""Keeps records that are too few to be sent for the task's next run (G4)."""

from __future__ import annotations

from airflow_provider_userdata.delivery.carry_over.claims import Claimant, Claims
from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.carry_over.held_files import HeldFiles
from airflow_provider_userdata.delivery.carry_over.held_lines import DAY, HeldRecord

__all__ = ["DAY", "CarryOverFolder", "Claimant", "Claims", "HeldFiles", "HeldRecord"]
