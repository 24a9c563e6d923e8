"""What the vendors' operators share: from arguments to a delivery, from its end to a value or an exception."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from airflow_provider_userdata.airflow_compat import (
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    Context,
    TimeDeltaTrigger,
    conf,
)
from airflow_provider_userdata.delivery import Delivery, Plan, Report, Result
from airflow_provider_userdata.delivery.resuming import destination
from airflow_provider_userdata.delivery.sending import Endpoint, OnDoubt, Patience
from airflow_provider_userdata.errors import LaterError, StoppedError, UserdataError
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.ledger import LEASE, SqlLedger, Stream
from airflow_provider_userdata.operators import (
    arguments,
    asset_state,
    held_xcom,
    ledger_settings,
    output_paths,
    reporting,
    sourcing,
    supervision,
)
from airflow_provider_userdata.operators.checkpoint_store import checkpoint_store
from airflow_provider_userdata.sources import as_text, hold, open_source
from airflow_provider_userdata.vendors import LedgerMode, Vendor

MOST_IN_FLIGHT = 1000
MOST_ATTEMPTS = 1000
LONGEST_STREAM = 200
LONGEST_SLEEP = 60.0
"""Seconds: a longer wait that the vendor asks for is spent without a worker slot, where the task may defer."""


class DeliveryOperator(BaseOperator):
    """Delivers the records of a source to a vendor, and accounts for every one.

    The task returns a report, and pushes it as XCom `report` where it fails:
    `read`, `delivered`, `rejected`, `held`, `unchanged`, `unknown`, `resent`, `requests`, `retries`, `bytes`,
    `seconds`, `rejects` and `receipts` (paths), `reasons` (how many records by rule).

    Records are data: they are never rendered as templates, and Airflow stores none of them.

    :param source: records, or where they are: a list, what an upstream task returned, a path or glob or a list of them
        (`.jsonl .ndjson .json .csv .tsv`, each also `.gz`), a `SqlSource`, a callable, or a list of such, read one
        after the other. (paths and SQL are templated)
    :param fields: the vendor's field to the source's column; only these are taken. Default: a record is taken as it is.
    :param max_rejected: how many rejected and unknown records the task may end with and be green; a number below 1 is a
        share of the records read. All that can be delivered is delivered first.
    :param max_in_flight: how many requests may be under way at once.
    :param requests_per_second: a hard limit in any second, which holds for retries too. Default: none.
    :param max_attempts: how often a request is sent where the vendor names no time to come back, before the vendor
        counts as down. Six outlast a vendor that restarts for two minutes.
    :param max_wait: seconds without an accepted request, after which the task fails in the way that Airflow retries.
    :param resume: whether an attempt goes on where the one before it was proven to be; False sends all again.
    :param on_changed_source: where the records before that point are no longer the same, or went elsewhere: `fail`, or
        `restart` and send all again. Default: `restart` where twice is the same as once (Ptengine), else `fail`.
    :param on_doubt: `resend` what may have been accepted and counts it, `hold` reports it as unknown (A3).
    :param incremental: whether only what earlier runs have not delivered is sent: a ledger knows it, and the others are
        reported as unchanged. What one run has on its way, another at the same time would send too, so the task's runs
        take turns: `max_active_tis_per_dag` is then 1, unless it is given. Of samples, the most recent one of each
        device is then shown in the state of the task's outlet asset, where there is one, from Airflow 3.3 on (G9).
    :param ledger_stream: a name for what the ledger keeps, in place of the connection's host, port and credential and
        the kind of records: give one, and a new key or address doesn't have all sent again. (templated)
    :param validate_only: check every record and send none.
    :param deferrable: whether a wait of over a minute, which the vendor asks for, is spent without a worker slot.
        Default: Airflow's `[operators] default_deferrable`.
    :param output_path: where receipts and rejects are written: a folder, or a path in an object store.
        Default: the setting `[userdata] output_path`, and without it `userdata` below AIRFLOW_HOME. (templated)
    """

    template_fields: Sequence[str] = ("source", "output_path", "ledger_stream")
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
            self.max_active_tis_per_dag = 1  # only now: `default_args` may have another
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
        """Where records come from. What holds records is held, so that Airflow neither renders nor stores them."""
        return self._source

    @source.setter
    def source(self, value: Any) -> None:
        self._source = hold(value, getattr(self, "_source", None))

    def execute(self, context: Context) -> dict[str, Any]:
        """Deliver, and return the report.

        :raises AirflowFailException: where a retry can't help: arguments, connection, rejects, a vendor that refuses.
        :raises AirflowException: where a retry may help.
        """
        try:
            plan = self._plan(context)
        except UserdataError as error:
            raise reporting.failure(error, self.log) from None
        self._delivery: Delivery | None = Delivery(plan)
        try:
            ended = self._delivery.run()
        except BaseException as interruption:
            if (ended_all_the_same := self._delivery.ended) is not None:
                self._leave_traces(ended_all_the_same, plan, context)
                reporting.tell(ended_all_the_same.report, self.log)
                self._leave_report(ended_all_the_same.report, interruption, context["ti"])
            raise
        self._leave_traces(ended, plan, context)
        return self._conclude(ended, context)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:  # noqa: ARG002  # Airflow gives it
        """Go on after a wait that was spent without a worker slot."""
        self._came_back = True
        return self.execute(context)

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

    def _kind(self) -> str:
        """Name the kind of records, where the vendor has several: they don't mix."""
        return ""

    def _plan(self, context: Context) -> Plan:
        ti: Any = context["ti"]
        root = output_paths.output_root(self.output_path)
        folder = output_paths.run_folder(root, ti)
        store = checkpoint_store(context, folder, came_back=getattr(self, "_came_back", False))
        arguments.number("max_rejected", self.max_rejected, zero=True)
        fields = self._field_map()
        vendor = self._vendor()
        columns = self._required_columns() if fields is None else fields.values()
        patience = Patience(
            max_attempts=arguments.whole_number("max_attempts", self.max_attempts, 1, MOST_ATTEMPTS),
            max_wait=arguments.number("max_wait", self.max_wait),
            on_doubt=cast("OnDoubt", arguments.one_of("on_doubt", self.on_doubt, ("resend", "hold"))),
            longest_sleep=LONGEST_SLEEP if self._may_defer() else None,
        )
        rate = self.requests_per_second
        default = "restart" if vendor.limits.user_once else "fail"
        changed = arguments.one_of("on_changed_source", self.on_changed_source or default, ("fail", "restart"))
        validate_only = arguments.switch("validate_only", self.validate_only)
        incremental = arguments.switch("incremental", self.incremental)
        endpoint = self._hook().endpoint()
        stream = self._stream(vendor, endpoint, arguments.name("ledger_stream", self.ledger_stream, LONGEST_STREAM))
        to = destination(stream.vendor, stream.address, stream.kind, stream.user, stream.name)
        held = None
        if vendor.limits.minimum > 1:
            held = output_paths.held(root, ti, self._kind() or vendor.name, to.name)
            held_xcom.look(context, held, self.log)
        return Plan(
            vendor=vendor,
            endpoint=endpoint,
            source=open_source(sourcing.bound(self.source, context), columns=columns, only=fields is not None),
            output=folder,
            attempt=f"{ti.try_number}-{uuid.uuid4().hex[:8]}",
            destination=to,
            fields=fields,
            max_in_flight=arguments.whole_number("max_in_flight", self.max_in_flight, 1, MOST_IN_FLIGHT),
            requests_per_second=None if rate is None else arguments.number("requests_per_second", rate),
            patience=patience,
            validate_only=validate_only,
            held=held,
            ledger=self._ledger(vendor, stream, ti) if incremental and not validate_only else None,
            max_rejected=self.max_rejected,
            store=store,
            resume=arguments.switch("resume", self.resume),
            shows_recent=asset_state.shown_on(self.outlets) is not None,
            unseen_attempts=store.unseen,
            restart_if_changed=changed == "restart",
            more_attempts=ti.try_number <= store.max_tries,
            supervisor=supervision.supervisor(ti),
            on_progress=functools.partial(reporting.show_progress, store, self.log),
        )

    def _stream(self, vendor: Vendor, endpoint: Endpoint, name: str | None) -> Stream:
        """Name what goes to this address with this credential: another is another account."""
        address = urlsplit(endpoint.url)
        return Stream(
            vendor=vendor.name,
            host=address.hostname or "",
            port=address.port,
            kind=self._kind(),
            user="".join(endpoint.headers.values()),
            name=name or "",
        )

    def _ledger(self, vendor: Vendor, stream: Stream, ti: Any) -> SqlLedger:
        """Make the ledger of what was delivered."""
        run = "/".join(map(str, (ti.dag_id, ti.run_id, ti.task_id, ti.map_index)))
        return ledger_settings.task_ledger(
            stream, keyed=vendor.kept is LedgerMode.STATES, run=run, lease=LEASE + 2 * self.max_wait
        )

    def _may_defer(self) -> bool:
        if self.deferrable is None:
            return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
        return arguments.switch("deferrable", self.deferrable)

    def _leave_traces(self, ended: Result, plan: Plan, context: Context) -> None:
        """Leave what later runs, or people, look for."""
        held_xcom.leave(context, plan.held, self.log)
        asset_state.show(context, self.outlets, self._kind(), ended.recent, self.log)

    def _conclude(self, ended: Result, context: Context) -> dict[str, Any]:
        if ended.repeated:
            self.log.info(
                "An attempt before this one had finished: nothing was sent, and this is its report. To send all again, "
                "set resume=False"
            )
        reporting.tell(ended.report, self.log)
        error = ended.error
        if error is None:
            return ended.report.as_dict()
        if isinstance(error, LaterError) and self._may_defer():
            self.log.info("%s", error)
            wait = max(error.until - datetime.now(UTC), timedelta(seconds=1))
            self.defer(trigger=TimeDeltaTrigger(wait), method_name="execute_complete")
        failure = reporting.failure(error, self.log)
        self._leave_report(ended.report, failure, context["ti"])
        raise failure from None

    def _leave_report(self, report: Report, failure: BaseException, ti: Any) -> None:
        """Leave the report of a task that fails; where nobody will go on by itself, say how."""
        ti.xcom_push(key="report", value=report.as_dict())
        over = isinstance(failure, (AirflowFailException, AirflowSkipException))
        resumable = self.resume and not self.validate_only
        if over or not resumable or ti.try_number <= int(getattr(ti, "max_tries", None) or 0):
            return
        self.log.error(
            "No attempt is left (retries=%s). Clear the task, and it goes on where this attempt ended", self.retries
        )
