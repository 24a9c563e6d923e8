"""From an operator's arguments and Airflow's context to the plan of a delivery."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from airflow_provider_userdata.airflow_compat import Context, determine_kwargs
from airflow_provider_userdata.delivery import Plan
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.resuming import destination
from airflow_provider_userdata.delivery.sending import Endpoint, OnDoubt, Patience
from airflow_provider_userdata.ledger import LEASE, SqlLedger, Stream
from airflow_provider_userdata.operators import (
    arguments,
    asset_state,
    held_xcom,
    ledger_settings,
    output_paths,
    supervision,
)
from airflow_provider_userdata.operators.observing import Upload, observers
from airflow_provider_userdata.operators.task_state import checkpoint_store
from airflow_provider_userdata.sources import Parts, Surroundings, described, open_source, unhold
from airflow_provider_userdata.vendors import LedgerMode, Vendor

if TYPE_CHECKING:
    from airflow_provider_userdata.operators.base import DeliveryOperator

MOST_IN_FLIGHT = 1000
MOST_ATTEMPTS = 1000
LONGEST_SLEEP = 60.0
"""Seconds: a longer wait that the vendor asks for is spent without a worker slot, if the task may defer."""


def make_plan(task: DeliveryOperator, context: Context, *, came_back: bool) -> Plan:
    """Check a task's arguments, open what it needs, and return the plan of its delivery.

    May ask Airflow for connections, XComs and states: call it from the task's main thread.

    :param task: the operator, after its templates were rendered.
    :param context: Airflow's context of the task.
    :param came_back: whether this attempt was deferred, and may have sent something before.
    :raises UserdataError: if an argument, a connection, the source or the ledger can't be used.
    """
    ti: Any = context["ti"]
    root = output_paths.output_root(task.output_path)
    folder = output_paths.run_folder(root, ti)
    store = checkpoint_store(context, folder, came_back=came_back)
    arguments.number("max_rejected", task.max_rejected, zero=True)
    fields = task._field_map()
    vendor = task._vendor()
    columns = task._required_fields() if fields is None else fields.columns
    patience = _patience(task)
    rate = task.requests_per_second
    default = "restart" if vendor.resend_is_harmless else "fail"
    changed = arguments.one_of("on_changed_source", task.on_changed_source or default, ("fail", "restart"))
    validate_only = arguments.switch("validate_only", task.validate_only)
    incremental = arguments.switch("incremental", task.incremental)
    endpoint = task._hook().endpoint()
    stream = stream_of(task, vendor, endpoint)
    kind = task._stored_kind()
    to = destination(stream.vendor, stream.address, kind, stream.user, stream.name)
    held = None
    if vendor.limits.minimum > 1:
        held = output_paths.held(root, ti, kind or vendor.name, to.name, task._held_max_age())
        held_xcom.check(context, held, task.log)
    attempt = f"{ti.try_number}-{uuid.uuid4().hex[:8]}"
    replay = Replay(_run_name(ti), attempt, str(folder))
    source = open_source(
        bound(task.source, context), columns=columns, only=fields is not None, of=Surroundings(replay, root)
    )
    upload = upload_of(
        task, context, address=endpoint.address, source=described(task.source, source), replay=bool(replay)
    )
    return Plan(
        vendor=vendor,
        endpoint=endpoint,
        source=source,
        output=folder,
        attempt=attempt,
        destination=to,
        fields=fields,
        max_in_flight=arguments.whole_number("max_in_flight", task.max_in_flight, 1, MOST_IN_FLIGHT),
        requests_per_second=None if rate is None else arguments.number("requests_per_second", rate),
        patience=patience,
        validate_only=validate_only,
        held=held,
        ledger=_ledger(vendor, stream, ti, patience.max_wait) if incremental and not validate_only else None,
        replay=replay or None,
        max_rejected=task.max_rejected,
        store=store,
        resume=arguments.switch("resume", task.resume),
        shows_recent=asset_state.shown_on(task.outlets) is not None,
        unseen_attempts=store.unseen,
        restart_if_changed=changed == "restart" and not replay,
        more_attempts=ti.try_number <= store.max_tries,
        supervisor=supervision.supervisor(ti),
        observers=observers(upload, context, task.log),
        user_headers=task._user_headers(context),
    )


def upload_of(
    task: DeliveryOperator, context: Context, *, address: str = "", source: str = "", replay: bool = False
) -> Upload:
    """Return what a task uploads, in names and words.

    :param address: where requests go, if that is known.
    :param source: where records come from, if that is known.
    :param replay: whether these are rejects of earlier runs, as far as that is known.
    """
    hook = task._hook()
    return Upload(
        vendor=hook.conn_type,
        kind=str(task._kind()),
        conn_id=str(hook._conn_id),
        address=address,
        source=source,
        label=task.upload_label,
        attempt=context["ti"].try_number,
        validate_only=task.validate_only is True,
        incremental=task.incremental is True,
        resume=task.resume is not False,
        replay=replay,
    )


def bound(source: Any, context: Context) -> object:
    """Return a source without its wrapper; parameters of its functions named like context variables are bound."""
    value = unhold(source)
    if isinstance(value, (list, tuple)) and any("__call__" in vars(kind) for kind in set(map(type, value))):
        return Parts(_bound_part(item, context) for item in value)
    return _bound_part(value, context)


def _bound_part(value: object, context: Context) -> object:
    if isinstance(value, type) or not callable(value):
        return value
    call = cast("Callable[..., object]", value)
    return functools.partial(call, **determine_kwargs(call, [], context))


def _patience(task: DeliveryOperator) -> Patience:
    return Patience(
        max_attempts=arguments.whole_number("max_attempts", task.max_attempts, 1, MOST_ATTEMPTS),
        max_wait=arguments.number("max_wait", task.max_wait),
        on_doubt=cast("OnDoubt", arguments.one_of("on_doubt", task.on_doubt, ("resend", "hold"))),
        longest_sleep=LONGEST_SLEEP if task._may_defer() else None,
    )


def stream_of(task: DeliveryOperator, vendor: Vendor, endpoint: Endpoint) -> Stream:
    """Return the ledger stream of this address and credential: another address or credential is another account."""
    address = urlsplit(endpoint.url)
    return Stream(
        vendor=vendor.name,
        host=address.hostname or "",
        port=address.port,
        kind=task._kind(),
        user=endpoint.account,
        name=arguments.name("ledger_stream", task.ledger_stream, ledger_settings.LONGEST_STREAM) or "",
    )


def _run_name(ti: Any) -> str:
    return "/".join(map(str, (ti.dag_id, ti.run_id, ti.task_id, ti.map_index)))


def _ledger(vendor: Vendor, stream: Stream, ti: Any, max_wait: float) -> SqlLedger:
    return ledger_settings.task_ledger(
        stream, keyed=vendor.kept is LedgerMode.STATES, run=_run_name(ti), lease=LEASE + 2 * max_wait
    )
