"""Uploads heart rates and steps to GeroSense."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from airflow_provider_userdata.airflow_compat import Context
from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.delivery.sending import UserHeaders
from airflow_provider_userdata.hooks.gerosense import GerosenseHook
from airflow_provider_userdata.operators import arguments
from airflow_provider_userdata.operators import gerosense_users as whose
from airflow_provider_userdata.operators.base import DeliveryOperator
from airflow_provider_userdata.operators.user_tokens import user_headers
from airflow_provider_userdata.vendors import Vendor
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_sample import DATA_TYPES, FIELDS
from airflow_provider_userdata.vendors.gerosense_user import UserColumns
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers


class GerosenseSamplesOperator(DeliveryOperator):
    """Uploads samples to GeroSense, in batches of 3 to 1000.

    Airflow's default is `retries=0`. Set `retries`, so that a vendor that is down for a minute only delays the task.

    A record is a sample: `device_name`, `start_date`, `unit`, `value`, and optionally `device_version` and `end_date`.
    Fewer than 3 samples in all are held, and sent first in the task's next run (G4).

    A proxy's token stands for one user. With `user_id`, the samples are many users', mixed as they may be: each request
    has one user's, and fewer than 3 of a user are held. They go to the direct API, if the connection's extra has
    `"api": "direct"`, or to the proxy with the `token` of each user. A user whose token is refused has these samples
    rejected (A1); all others' are sent. A source that is sorted by user needs the fewest requests.

    The arguments that all vendors share are `DeliveryOperator`'s: `source`, `fields`, `max_rejected` and others.

    :param data_type: `steps` or `bpm`. (templated)
    :param default_timezone: the time zone of timestamps without an offset, such as `Asia/Tokyo`; they are sent with its
        offset. Default: they are rejected (G7).
    :param user_id: the column with the user's id: a text, an integer or a UUID. It is not sent with the samples, but
        says whose they are (G14). Default: all samples are those of the token's user.
    :param token: with a proxy, what gives a user's token: a function of the user's id, which may raise `LookupError`,
        or a template with `user_id`, such as `"{{ conn['gerosense_' + user_id].password }}"`. Airflow stores none.
    :param register: with the direct API, the columns of what registers a user before the first sample:
        `{"biological_sex": "column", "year_of_birth": "column"}`. Default: the users are registered already.
    :param calculate: whether to ask for a user's biological age, once samples were delivered. A failure is only logged:
        GeroSense computes it by itself, five minutes after the last samples.
    :param held_max_age: for how many days samples may be held. Older ones are rejected by the next run (A8), and count
        against `max_rejected`. Default: they wait for as long as it takes.
    :param gerosense_conn_id: the Airflow connection. (templated)
    """

    template_fields = (*DeliveryOperator.template_fields, "data_type", "gerosense_conn_id")
    _known_fields = FIELDS
    _user_path = "$.user_id"

    def __init__(
        self,
        *,
        data_type: str,
        source: Any,
        default_timezone: str | None = None,
        user_id: str | None = None,
        token: str | Callable[..., str | None] | None = None,
        register: Mapping[str, str] | None = None,
        calculate: bool = False,
        held_max_age: float | None = None,
        gerosense_conn_id: str = GerosenseHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(source=source, **kwargs)
        self.data_type = data_type
        self.default_timezone = default_timezone
        self.user_id = user_id
        self.token = token
        self.register = register
        self.calculate = calculate
        self.held_max_age = held_max_age
        self.gerosense_conn_id = gerosense_conn_id

    def _vendor(self) -> Vendor:
        calculates = arguments.switch("calculate", self.calculate)
        zone = arguments.time_zone("default_timezone", self.default_timezone)
        samples = GeroSense(arguments.one_of("data_type", self.data_type, DATA_TYPES), zone, calculates)
        columns, direct = self._columns(), self._hook().is_direct()
        whose.check(columns, self.token, direct=direct, connection=self.gerosense_conn_id)
        if columns is None:
            return samples
        return GeroSenseDirect(samples, columns) if direct else GeroSenseUsers(samples, columns)

    def _hook(self) -> GerosenseHook:
        return GerosenseHook(self.gerosense_conn_id, user_tokens=self.token is not None)

    def _required_fields(self) -> Collection[str]:
        return whose.required_fields(self._columns())

    def _field_map(self) -> FieldMap | None:
        return whose.field_map(self.fields, self.user_id, self.register, self._required_fields())

    def _kind(self) -> str:
        return self.data_type

    def _stored_kind(self) -> str:
        return self.data_type if self.user_id is None else f"{self.data_type} of users"

    def _held_max_age(self) -> float | None:
        return None if self.held_max_age is None else arguments.number("held_max_age", self.held_max_age)

    def _user_field(self) -> str | None:
        columns = self._columns()
        return None if columns is None else columns.user_id

    def _user_headers(self, context: Context) -> UserHeaders | None:
        if self.token is None:
            return None
        return user_headers(self.token, self.render_template, context, self._hook().auth_headers)

    def _columns(self) -> UserColumns | None:
        return whose.columns(self.user_id, self.register, mapped=isinstance(self.fields, Mapping))
