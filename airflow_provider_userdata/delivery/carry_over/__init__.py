"""Keeps records that are too few to be sent for the task's next run (G4)."""

from __future__ import annotations

from airflow_provider_userdata.delivery.carry_over.claims import MARK, Claimant, Claims
from airflow_provider_userdata.delivery.carry_over.erasing import erase_held, release_killed
from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.carry_over.held_files import HeldFiles, is_part
from airflow_provider_userdata.delivery.carry_over.held_lines import DAY, HeldRecord, records_of

__all__ = [
    "DAY",
    "MARK",
    "CarryOverFolder",
    "Claimant",
    "Claims",
    "HeldFiles",
    "HeldRecord",
    "erase_held",
    "is_part",
    "records_of",
    "release_killed",
]
