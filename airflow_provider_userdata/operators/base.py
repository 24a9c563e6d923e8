"""The base of all vendors' operators: runs a delivery, and turns its result into a return value or an exception."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_userdata.airflow_compat import (
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    Context,
    TimeDeltaTrigger,
    conf,
)
from airflow_provider_userdata.delivery import Delivery, Plan, Report, Result
from airflow_provider_userdata.delivery.preparing import FieldMap, Word
from airflow_provider_userdata.delivery.sending import OnDoubt, UserHeaders
from airflow_provider_userdata.errors import LaterError, StoppedError, UserdataError
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.operators import arguments, asset_events, asset_state, held_xcom, labels, reporting
from airflow_provider_userdata.operators.lineage import Lineage
from airflow_provider_userdata.operators.links import upload_links
from airflow_provider_userdata.operators.observing import early_failure, observers
from airflow_provider_userdata.operators.planning import make_plan, upload_of
from airflow_provider_userdata.sources import as_text, hold, label
from airflow_provider_userdata.vendors import Vendor


class DeliveryOperator(Lineage, BaseOperator):
    """Delivers the records of a source to a vendor, and accounts for each of them.

    The task returns a report, and pushes it as XCom `report` if it fails:
    `read`, `delivered`, `rejected`, `invalid` and `refused` (which together are `rejected`), `held`, `unchanged`,
    `unknown`, `valid`, `resent`, `requests`, `would_send`, `retries`, `bytes`, `seconds`, `rejects` and `receipts`
    (paths), `reasons` (number of records by rule). While it runs, the XCom `userdata_upload` shows how far it is. A
    mapped task is labelled by what it uploads, such as a file's name, unless it has a `map_index_template`.

    Records are data: they are never rendered as templates, and Airflow stores none of them.

    :param source: records, or where they are: a list, what an upstream task returned, a path or glob or a list of them
        (`.jsonl .ndjson .json .csv .tsv`, each also `.gz`, and `.parquet`), a `FileSource`, a `SqlSource`, a
        `RejectsSource` with what an earlier run didn't deliver, a frame or anything else with an Arrow stream, a
        callable, or a list of these, read one after the other. (paths and SQL are templated)
    :param fields: maps the vendor's fields to the source's columns, by their names, or to `Column` (nested values),
        `Constant`, `Number` or `Timestamp`; other columns are not taken. Default: records are taken unchanged.
    :param max_rejected: how many records may be rejected or unknown before the task fails; a number below 1 is a share
        of the records read. Everything that can be delivered is delivered first.
    :param max_in_flight: how many requests may be in flight at the same time.
    :param requests_per_second: a hard limit for any second, retries included. Default: none.
    :param max_attempts: how often a request is sent before the vendor counts as down, if the vendor doesn't say when
        to come back. Six attempts outlast a vendor that restarts for two minutes.
    :param max_wait: seconds without an accepted request after which the task fails; Airflow retries it.
    :param resume: whether an attempt continues from the last proven position of the one before it; False sends
        everything again.
    :param on_changed_source: what to do if the records before that position have changed, or went to another address:
        `fail`, or `restart` and send everything again. Default: `restart` if sending twice has the same result as
        sending once (Ptengine), else `fail`.
    :param on_doubt: `resend` sends again what may have been accepted, and counts it; `hold` reports it as unknown (A3).
    :param incremental: whether to send only what earlier runs have not delivered. A ledger knows what they delivered;
        other records are reported as unchanged. Two concurrent runs could send the same record, so
        `max_active_tis_per_dag` defaults to 1. From Airflow 3.3 on, if the task has one outlet asset, the state of that
        asset shows the most recent sample of each device (G9).
    :param ledger_stream: a name for what the ledger keeps. It replaces the connection's host, port and credential and
        the kind of records, so that a new key or address doesn't send everything again. (templated)
    :param validate_only: check every record and send none. Those that could be sent count as `valid`; the log says how
        many requests they would take, and shows the form of the first one.
    :param deferrable: whether a wait of over a minute, requested by the vendor, is spent without a worker slot.
        Default: Airflow's `[operators] default_deferrable`.
    :param output_path: where receipts and rejects are written: a folder, or a path in an object store.
        Default: the setting `[userdata] output_path`; if it is not set, `userdata` below AIRFLOW_HOME. (templated)
    """

    template_fields: Sequence[str] = ("source", "output_path", "ledger_stream")
    ui_color = "#e8f0ea"
    operator_extra_links = upload_links()
    _delivery: Delivery | None = None
    _came_back = False
    _known_fields: Collection[str] | None = None
    """The vendor's fields that `fields` may map; None if the vendor accepts any."""
    _user_path: str | None = None
    """Where rejects say that a record's user is invalid."""

    def __init__(
        self,
        *,
        source: Any,
        fields: Mapping[str, Word] | None = None,
        max_rejected: float = 0,
        max_in_flight: int = 16,
        requests_per_second: float | None = None,
        max_attempts: int = 6,
        max_wait: float = 3600.0,
        resume: bool = True,
        on_changed_source: str | None = None,
        on_doubt: OnDoubt = "resend",
        incremental: bool = False,
        ledger_stream: str | None = None,
        validate_only: bool = False,
        output_path: Any = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if incremental and self.max_active_tis_per_dag is None and "max_active_tis_per_dag" not in kwargs:
            self.max_active_tis_per_dag = 1  # after `super().__init__`: `default_args` may set it
        self.source = source
        self.fields = fields
        self.max_rejected = max_rejected
        self.max_in_flight = max_in_flight
        self.requests_per_second = requests_per_second
        self.max_attempts = max_attempts
        self.max_wait = max_wait
        self.resume = resume
        self.on_changed_source = on_changed_source
        self.on_doubt = on_doubt
        self.incremental = incremental
        self.ledger_stream = ledger_stream
        self.validate_only = validate_only
        self.output_path = as_text(output_path)
        self.deferrable = deferrable

    @property
    def source(self) -> Any:
        """Where records come from. Values that contain records are wrapped: Airflow neither renders nor stores them."""
        return self._source

    @source.setter
    def source(self, value: Any) -> None:
        self._source = hold(value, getattr(self, "_source", None))

    @property
    def upload_label(self) -> str:
        """What the task uploads, such as a file's name or `1,234 records`; empty if there is nothing to tell it by."""
        return label(self.source)

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Return the operator with these arguments, to be expanded. Each mapped task is labelled by what it uploads."""
        return labels.by_upload(super().partial(**kwargs))

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver the records, and return the report.

        :raises AirflowFailException: if a retry can't help: arguments, connection, rejects, a vendor that refuses.
        :raises AirflowException: if a retry may help.
        """
        if labels.is_wanted(context, self.upload_label):
            context["map_index_template"] = labels.TEMPLATE
        try:
            plan = make_plan(self, context, came_back=self._came_back)
        except UserdataError as error:
            if not self._came_back:  # else the XCom says what it delivered before its wait
                early_failure.show(observers(upload_of(self, context), context, self.log), error, self.log)
            raise reporting.failure(error, self.log) from None
        self._delivery = Delivery(plan)
        try:
            result = self._delivery.run()
        except BaseException as interruption:
            if (partial := self._delivery.ended) is not None:
                self._leave_traces(partial, plan, context)
                self._push_report(partial.report, interruption, context["ti"])
            raise
        self._leave_traces(result, plan, context)
        return self._conclude(result, context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002  # Airflow passes it
        """Continue after a wait that was spent without a worker slot."""
        self._came_back = True
        return self.execute(context)

    def on_kill(self) -> None:
        """Tell the delivery to stop; the waiting `execute` then raises."""
        if self._delivery is not None:
            self._delivery.stop(StoppedError("the task was killed"))

    def _bind(self, context: Context) -> None:
        """Make the source of what else the task was given, once its templates are rendered."""

    def _vendor(self) -> Vendor:
        """Check the vendor's own arguments, and return its contract."""
        raise NotImplementedError

    def _hook(self) -> VendorHook:
        raise NotImplementedError

    def _required_fields(self) -> Collection[str]:
        """Return the fields that `fields` must give, or if it is not given, a table's columns."""
        return ()

    def _user_field(self) -> str | None:
        """Return the vendor's field that says whose a record is; without `fields`, it is the column."""
        return None

    def _field_map(self) -> FieldMap | None:
        return arguments.field_map(self.fields, self._known_fields, self._required_fields())

    def _kind(self) -> str:
        """Return the kind of records if the vendor has several; records of different kinds are kept apart."""
        return ""

    def _stored_kind(self) -> str:
        """Return the kind under which held records and checkpoints are found again: those of others can't be read."""
        return self._kind()

    def _held_max_age(self) -> float | None:
        """Return for how many days held records may wait; None if forever."""
        return None

    def _user_headers(self, context: Context) -> UserHeaders | None:  # noqa: ARG002  # for vendors that need them
        """Return what gives the headers with a user's token, where each user has one."""
        return None

    def _may_defer(self) -> bool:
        """Return whether a long wait is spent without a worker slot."""
        if self.deferrable is None:
            return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
        return arguments.switch("deferrable", self.deferrable)

    def _leave_traces(self, result: Result, plan: Plan, context: Context) -> None:
        """Write what later runs or people look for: the XCom `held`, and the asset's most recent samples."""
        self._report = result.report
        if result.first_request is not None:
            self.log.info(
                "%d requests would be sent. The first one, with its values masked: %s",
                result.report.would_send,
                result.first_request,
            )
        if result.error is None:
            asset_events.describe(context, self.outlets, plan.vendor.name, self._kind(), result.report)
        held_xcom.push(context, plan.held, self.log)
        asset_state.show(context, self.outlets, self._kind(), result.recent, self.log)

    def _conclude(self, result: Result, context: Context) -> dict[str, Any]:
        """Return the report of a delivery that succeeded; defer or raise for any other."""
        error = result.error
        if error is None:
            return result.report.as_dict()
        if isinstance(error, LaterError) and self._may_defer():
            self.log.info("%s", error)
            wait = max(error.until - datetime.now(UTC), timedelta(seconds=1))
            self.defer(trigger=TimeDeltaTrigger(wait), method_name="execute_complete")
        failure = reporting.failure(error, self.log)
        self._push_report(result.report, failure, context["ti"])
        raise failure from None

    def _push_report(self, report: Report, failure: BaseException, ti: Any) -> None:
        """Push the report of a task that fails. If Airflow starts no further attempt, log how to continue."""
        ti.xcom_push(key="report", value=report.as_dict())
        final = isinstance(failure, (AirflowFailException, AirflowSkipException))
        resumable = self.resume and not self.validate_only
        if final or not resumable or ti.try_number <= int(getattr(ti, "max_tries", None) or 0):
            return
        self.log.error(
            "No attempt is left (retries=%s). Clear the task, and it continues where this attempt ended", self.retries
        )
