"""Uploads heart rates and steps to GeroSense."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.hooks.gerosense import GerosenseHook
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_sample import DATA_TYPES, FIELDS, REQUIRED_FIELDS


class GerosenseSamplesOperator(DeliveryOperator):
    """Uploads samples to GeroSense, in batches of 3 to 1000.

    Airflow's default is `retries=0`. Set `retries`, so that a vendor that is down for a minute only delays the task.

    A record is a sample: `device_name`, `start_date`, `unit`, `value`, and optionally `device_version` and `end_date`.
    Fewer than 3 samples in all are held, and sent first in the task's next run (G4).

    The arguments that all vendors share are `DeliveryOperator`'s: `source`, `fields`, `max_rejected` and others.

    :param data_type: `steps` or `bpm`. (templated)
    :param default_timezone: the time zone of timestamps without an offset, such as `Asia/Tokyo`; they are sent with its
        offset. Default: they are rejected (G7).
    :param gerosense_conn_id: the Airflow connection. (templated)
    """

    template_fields = (*DeliveryOperator.template_fields, "data_type", "gerosense_conn_id")
    _known_fields = FIELDS

    def __init__(
        self,
        *,
        data_type: str,
        source: Any,
        default_timezone: str | None = None,
        gerosense_conn_id: str = GerosenseHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        self.data_type = data_type
        self.default_timezone = default_timezone
        self.gerosense_conn_id = gerosense_conn_id

    def _vendor(self) -> GeroSense:
        return GeroSense(arguments.one_of("data_type", self.data_type, DATA_TYPES), self._zone())

    def _hook(self) -> GerosenseHook:
        return GerosenseHook(self.gerosense_conn_id)

    def _required_fields(self) -> Collection[str]:
        return REQUIRED_FIELDS

    def _kind(self) -> str:
        return self.data_type

    def _zone(self) -> ZoneInfo | None:
        if self.default_timezone is None:
            return None
        try:
            return ZoneInfo(self.default_timezone)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise ArgumentError("default_timezone: must be the name of a time zone, such as 'Asia/Tokyo'") from None
