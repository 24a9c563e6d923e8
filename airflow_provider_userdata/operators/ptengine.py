"""Uploads user attributes to Ptengine."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from airflow_provider_userdata.hooks.ptengine import PtengineHook
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.vendors.ptengine import USER_ID, Ptengine


class PtengineProfilesOperator(DeliveryOperator):
    """Uploads user attributes to Ptengine, up to 100 users a request.

    Airflow's default is `retries=0`. Set `retries`, so that a vendor that is down for a minute only delays the task.

    A record is an object with `user_id` and up to 49 attributes; a missing key leaves an attribute
    unchanged (P5). If a user occurs twice in the source, the later row wins (P8).

    The arguments that all vendors share are `DeliveryOperator`'s: `source`, `fields`, `max_rejected` and others.

    :param empty_values: what `None` and `""` mean, such as the nulls of a query: `send` empties the attribute (P5),
        `omit` leaves it as it is. Users with the same attributes share a request. Default: `send`.
    :param ptengine_conn_id: the Airflow connection. (templated)
    """

    template_fields = (*DeliveryOperator.template_fields, "ptengine_conn_id")
    _user_path = f"$.{USER_ID}"

    def __init__(
        self,
        *,
        source: Any,
        empty_values: Literal["send", "omit"] = "send",
        ptengine_conn_id: str = PtengineHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        self.empty_values = empty_values
        self.ptengine_conn_id = ptengine_conn_id

    def _vendor(self) -> Ptengine:
        return Ptengine(omits_empty=arguments.one_of("empty_values", self.empty_values, ("send", "omit")) == "omit")

    def _hook(self) -> PtengineHook:
        return PtengineHook(self.ptengine_conn_id)

    def _user_field(self) -> str:
        return USER_ID

    def _required_fields(self) -> Collection[str]:
        return (USER_ID,)
