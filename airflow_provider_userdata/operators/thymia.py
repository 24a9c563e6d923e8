"""Uploads users' data to Thymia."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.hooks.thymia import ThymiaHook
from airflow_provider_userdata.operators import thymia_arguments
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.vendors.thymia import Thymia


class ThymiaUploadOperator(DeliveryOperator):
    """Uploads users' data to Thymia, one user per request.

    Airflow's default is `retries=0`. Set `retries`, so that a vendor that is down for a minute only delays the task.

    A record is `{"user": {"userLabel": ..}, "data": {..}}`, or flat with `user_label`. Thymia doesn't detect duplicates
    (T11): sending again what is in doubt may store it twice; `on_doubt="hold"` avoids that.

    The arguments that all vendors share are `DeliveryOperator`'s: `source`, `fields`, `max_rejected` and others. Here
    `fields` maps the fields of `data`, and also `userLabel` if `user_label` is not given.

    :param upload_type: the type that was agreed with Thymia (T4). (templated)
    :param user_label: for flat records, the column that holds the label; the other columns are the data.
    :param data_schema: the format agreed with Thymia, a JSON Schema or the path of one; `data` is validated by it (T7).
    :param pii: `refuse` rejects what looks like personally identifiable data, `allow` sends it (T8).
    :param pii_allowed: names of fields in `data` that may hold such data even so.
    :param thymia_conn_id: the Airflow connection. (templated)
    """

    template_fields = (*DeliveryOperator.template_fields, "upload_type", "thymia_conn_id")
    _user_path = "$.user"

    def __init__(
        self,
        *,
        upload_type: str,
        source: Any,
        user_label: str | None = None,
        data_schema: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        pii: str = "refuse",
        pii_allowed: Collection[str] = (),
        thymia_conn_id: str = ThymiaHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        self.upload_type = upload_type
        self.user_label = user_label
        self.data_schema = data_schema
        self.pii = pii
        self.pii_allowed = pii_allowed
        self.thymia_conn_id = thymia_conn_id

    def _vendor(self) -> Thymia:
        return thymia_arguments.contract(
            self.upload_type,
            label=self._label_column(),
            data_schema=self.data_schema,
            pii=self.pii,
            pii_allowed=self.pii_allowed,
        )

    def _kind(self) -> str:
        return self.upload_type

    def _user_field(self) -> str:
        return self._label_column() or "user"

    def _hook(self) -> ThymiaHook:
        return ThymiaHook(self.thymia_conn_id)

    def _field_map(self) -> FieldMap | None:
        return thymia_arguments.field_map(self.fields, self._label_column())

    def _required_fields(self) -> Collection[str]:
        column = self._label_column()
        return () if column is None else (column,)

    def _label_column(self) -> str | None:
        return thymia_arguments.label_column(self.user_label, self.fields)
