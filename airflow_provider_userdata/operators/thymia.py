"""Uploads users' data to Thymia."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from jsonschema.exceptions import SchemaError

from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.errors import ArgumentError
from airflow_provider_userdata.hooks.thymia import ThymiaHook
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.sources import as_text, storage_path
from airflow_provider_userdata.vendors.pii import Guard
from airflow_provider_userdata.vendors.thymia import USER_LABEL, Thymia
from airflow_provider_userdata.vendors.validation import AgreedFormat


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
        if not isinstance(self.upload_type, str) or not self.upload_type.strip() or self.upload_type in {".", ".."}:
            # It would change the request's address.
            raise ArgumentError(
                "upload_type: must be the type that was agreed with Thymia, not blank, '.' or '..' (T4)"
            )
        pii = arguments.one_of("pii", self.pii, ("refuse", "allow"))
        allowed = arguments.names("pii_allowed", self.pii_allowed)
        return Thymia(
            upload_type=self.upload_type,
            user_label=self._label_column(),
            agreement=self._agreement(),
            guard=Guard(frozenset(allowed)) if pii == "refuse" else None,
        )

    def _kind(self) -> str:
        return self.upload_type

    def _hook(self) -> ThymiaHook:
        return ThymiaHook(self.thymia_conn_id)

    def _field_map(self) -> FieldMap | None:
        column = self._label_column()
        fields = self.fields
        if isinstance(fields, Mapping) and fields and column is not None:
            fields = {column: column, **fields}
        return arguments.field_map(fields, None)

    def _required_fields(self) -> Collection[str]:
        column = self._label_column()
        return () if column is None else (column,)

    def _label_column(self) -> str | None:
        if self.user_label is None:
            return USER_LABEL if isinstance(self.fields, Mapping) and USER_LABEL in self.fields else None
        if not isinstance(self.user_label, str) or not self.user_label.strip():
            raise ArgumentError("user_label: must be the name of a column")
        return self.user_label

    def _agreement(self) -> AgreedFormat | None:
        if self.data_schema is None:
            return None
        schema = as_text(self.data_schema)
        if isinstance(schema, str):
            schema = _read_schema(schema)
        if not isinstance(schema, Mapping):
            raise ArgumentError("data_schema: must be a JSON Schema as a dictionary, or the path of one")
        try:
            return AgreedFormat(dict(schema), rule="T7", root=("data",))
        except SchemaError as error:
            raise ArgumentError(f"data_schema: is not a valid JSON Schema, at {error.json_path}") from None


def _read_schema(path: str) -> object:
    try:
        place = storage_path(path) if "://" in path else Path(path)
        schema: object = msgspec.json.decode(place.read_bytes())
    except OSError as error:
        raise ArgumentError(f"data_schema: {path} can't be read: {error.strerror or type(error).__name__}") from None
    except msgspec.DecodeError:
        raise ArgumentError(f"data_schema: {path} is not JSON") from None
    except (ValueError, ImportError) as error:  # a DecodeError is a ValueError too
        raise ArgumentError(f"data_schema: {path} can't be opened: {type(error).__name__}") from None
    return schema
