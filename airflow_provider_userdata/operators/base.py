"""What the vendors' operators share: from arguments to a delivery, from its end to a value or an exception."""

from __future__ import annotations

import functools
import traceback
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    BaseOperator,
    Context,
    determine_kwargs,
)

from airflow_provider_userdata.delivery.held import HeldFolder
from airflow_provider_userdata.delivery.plan import Ended, Plan
from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending import OnDoubt, Patience
from airflow_provider_userdata.errors import (
    RejectsError,
    SourceBrokeError,
    SourceError,
    StoppedError,
    UserdataError,
)
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.operators import arguments, places, signpost
from airflow_provider_userdata.sources import hold, open_source, unhold
from airflow_provider_userdata.vendors.contract import Vendor

MOST_IN_FLIGHT = 1000
MOST_ATTEMPTS = 1000


class DeliveryOperator(BaseOperator):
    """Delivers the records of a source to a vendor, and accounts for every one.

    The task returns a report, and pushes it as XCom `report` where it fails:
    `read`, `delivered`, `rejected`, `held`, `unchanged`, `unknown`, `resent`, `requests`, `retries`, `bytes`,
    `seconds`, `rejects` and `receipts` (paths), `reasons` (how many records by rule).

    Records are data: they are never rendered as templates, and Airflow stores none of them.

    :param source: records, or where they are: a list, what an upstream task returned, a path or glob or a list of them
        (`.jsonl .ndjson .json .csv .tsv`, each also `.gz`), a `SqlSource`, or a callable. (paths and SQL are templated)
    :param fields: the vendor's field to the source's column; only these are taken. Default: a record is taken as it is.
    :param max_rejected: how many rejected and unknown records the task may end with and be green; a number below 1 is a
        share of the records read. All that can be delivered is delivered first.
    :param max_in_flight: how many requests may be under way at once.
    :param requests_per_second: a hard limit, which holds for retries too. Default: none.
    :param max_attempts: how often a request is sent where the vendor names no time to come back, before the vendor
        counts as down.
    :param max_wait: seconds without an accepted request, after which the task fails in the way that Airflow retries.
    :param on_doubt: `resend` what may have been accepted and counts it, `hold` reports it as unknown (A3).
    :param validate_only: check every record and send none.
    :param output_path: where receipts and rejects are written: a folder, or a path in an object store.
        Default: the setting `[userdata] output_path`, and without it `userdata` below AIRFLOW_HOME. (templated)
    """

    template_fields: Sequence[str] = ("source", "output_path")
    ui_color = "#e8f0ea"

    def __init__(
        self,
        *,
        source: Any,
        fields: Mapping[str, str] | None = None,
        max_rejected: float = 0,
        max_in_flight: int = 16,
        requests_per_second: float | None = None,
        max_attempts: int = 6,
        max_wait: float = 3600.0,
        on_doubt: OnDoubt = "resend",
        validate_only: bool = False,
        output_path: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.fields = fields
        self.max_rejected = max_rejected
        self.max_in_flight = max_in_flight
        self.requests_per_second = requests_per_second
        self.max_attempts = max_attempts
        self.max_wait = max_wait
        self.on_doubt = on_doubt
        self.validate_only = validate_only
        self.output_path = output_path

    @property
    def source(self) -> Any:
        """Where records come from. What holds records is held, so that Airflow neither renders nor stores them."""
        return self._source

    @source.setter
    def source(self, value: Any) -> None:
        self._source = hold(value)

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver, and return the report.

        :raises AirflowFailException: where a retry can't help: arguments, connection, rejects, a vendor that refuses.
        :raises AirflowException: where a retry may help.
        """
        try:
            plan = self._plan(context)
        except UserdataError as error:
            raise self._failure(error) from None
        self._delivery: Delivery | None = Delivery(plan)
        ended = self._delivery.run()
        signpost.leave(context, plan.held, self.log)
        return self._conclude(ended, context)

    def on_kill(self) -> None:
        """Tell the delivery to end; the waiting `execute` then raises."""
        delivery = getattr(self, "_delivery", None)
        if delivery is not None:
            delivery.stop(StoppedError("the task was killed"))

    def _vendor(self) -> Vendor:
        """Check the vendor's own arguments, and make its contract of them."""
        raise NotImplementedError

    def _hook(self) -> VendorHook:
        raise NotImplementedError

    def _known_fields(self) -> Collection[str] | None:
        """Give the fields that `fields` may name; None where the vendor takes any."""
        return None

    def _required_columns(self) -> Collection[str]:
        """Give the columns that a table must have where no `fields` say otherwise."""
        return ()

    def _field_map(self) -> dict[str, str] | None:
        return arguments.field_map(self.fields, self._known_fields())

    def _stream(self) -> str:
        """Name what the records are: held records of one stream never go out in another."""
        return self.task_type

    def _plan(self, context: Context) -> Plan:
        arguments.number("max_rejected", self.max_rejected, zero=True)
        fields = self._field_map()
        vendor = self._vendor()
        columns = self._required_columns() if fields is None else fields.values()
        patience = Patience(
            max_attempts=arguments.whole_number("max_attempts", self.max_attempts, 1, MOST_ATTEMPTS),
            max_wait=arguments.number("max_wait", self.max_wait),
            on_doubt=cast("OnDoubt", arguments.one_of("on_doubt", self.on_doubt, ("resend", "hold"))),
        )
        rate = self.requests_per_second
        ti: Any = context["ti"]
        root = places.output_root(self.output_path)
        held = None
        if vendor.limits.minimum > 1:
            held = HeldFolder(places.held_folder(root, ti), self._stream(), ti.run_id)
            signpost.look(context, held)
        endpoint = self._hook().endpoint()
        return Plan(
            vendor=vendor,
            endpoint=endpoint,
            source=open_source(self._bound_source(context), columns=columns),
            output=places.run_folder(root, ti),
            attempt=f"{ti.try_number}-{uuid.uuid4().hex[:8]}",
            fields=fields,
            max_in_flight=arguments.whole_number("max_in_flight", self.max_in_flight, 1, MOST_IN_FLIGHT),
            requests_per_second=None if rate is None else arguments.number("requests_per_second", rate),
            patience=patience,
            validate_only=bool(self.validate_only),
            held=held,
            on_progress=self._log_progress,
        )

    def _bound_source(self, context: Context) -> object:
        """Give a callable what it names of Airflow's context."""
        value = unhold(self.source)
        if isinstance(value, type) or not callable(value):
            return value
        call = cast("Callable[..., object]", value)
        return functools.partial(call, **determine_kwargs(call, [], context))

    def _log_progress(self, report: Report, total: int | None) -> None:
        share = f" ({report.read / total:.0%} of the source)" if total else ""
        rate = report.delivered / report.seconds if report.seconds else 0.0
        self.log.info("So far: %s%s; %s records a second", report.summary(), share, f"{rate:,.0f}")

    def _conclude(self, ended: Ended, context: Context) -> dict[str, Any]:
        report = ended.report
        self.log.info("%s", report.summary())
        if report.rejects:
            self.log.warning("Rejected, held and unknown records, whole, with the reason of each: %s", report.rejects)
        if report.receipts:
            self.log.info("Receipts: %s", report.receipts)
        error = ended.error
        if error is None and report.exceeds(self.max_rejected):
            error = self._too_many_rejects(ended)
        if error is None:
            return report.as_dict()
        context["ti"].xcom_push(key="report", value=report.as_dict())
        raise self._failure(error) from None

    def _too_many_rejects(self, ended: Ended) -> RejectsError:
        report = ended.report
        first = f"; the first: {ended.first_fault}" if ended.first_fault else ""
        return RejectsError(
            f"max_rejected={self.max_rejected:g}: {report.rejected:,} of {report.read:,} records were rejected and "
            f"{report.unknown:,} are unknown{first}. All that could be delivered was. See {report.rejects}"
        )

    def _failure(self, error: Exception) -> BaseException:
        """Say what ends the task. Raise it without its causes: Airflow logs them, and they may quote a record (A6).

        Where a source broke, the log says where, in the author's code or in the database's client.
        """
        if isinstance(error, SourceBrokeError) and error.__cause__ is not None:
            frames = traceback.format_tb(error.__cause__.__traceback__)
            self.log.error("The source broke with %s, here:\n%s", type(error.__cause__).__name__, "".join(frames))
        return _airflow_error(error)


def _airflow_error(error: Exception) -> BaseException:
    """Turn an error into the kind that Airflow retries, or the kind that it doesn't."""
    if not isinstance(error, UserdataError):
        return error
    if isinstance(error.__cause__, AirflowException) and not isinstance(error, SourceError):
        return error.__cause__  # an author's function may skip or fail its task
    kind = AirflowException if error.retriable else AirflowFailException
    return cast("BaseException", kind(f"{type(error).__name__}: {error}"))
