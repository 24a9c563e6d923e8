"""What a delivery has to do, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.clock import Clock
from airflow_provider_userdata.delivery.incremental import Ledger
from airflow_provider_userdata.delivery.preparing import FieldMap
from airflow_provider_userdata.delivery.reading import Source
from airflow_provider_userdata.delivery.recording import Folder
from airflow_provider_userdata.delivery.replaying import Replay
from airflow_provider_userdata.delivery.report import Report
from airflow_provider_userdata.delivery.resuming import CheckpointStore, Destination
from airflow_provider_userdata.delivery.sending import Endpoint, Patience, UserHeaders
from airflow_provider_userdata.delivery.status import Observer
from airflow_provider_userdata.delivery.supervisor import Supervisor
from airflow_provider_userdata.vendors import Vendor


@dataclass(frozen=True, slots=True)
class Plan:
    """One delivery: what to send, where, and how.

    :param vendor: the vendor's contract.
    :param endpoint: where requests go.
    :param source: where records come from.
    :param output: the folder for this run's fates.
    :param attempt: the name of this attempt, for its files.
    :param destination: fingerprints of where requests go, to compare with those of earlier attempts.
    :param fields: where the vendor's fields come from; None takes all columns.
    :param max_in_flight: the most requests in flight.
    :param requests_per_second: a hard limit; None sets none.
    :param patience: how long to keep trying.
    :param validate_only: whether to check and batch only, and send nothing.
    :param held: where records wait that are too few to be sent; None where the vendor takes any number.
    :param ledger: what earlier runs delivered, so that only changes are sent; None sends everything.
    :param replay: the rejects of earlier runs that are sent again; None if the source has none.
    :param shows_recent: whether somebody looks at `Result.recent`.
    :param max_rejected: the most rejected and unknown records that are not an error; below 1, a share of all.
    :param store: where the checkpoint is kept between attempts; None keeps none.
    :param resume: whether to continue where an earlier attempt ended.
    :param starts_over: whether this attempt sends everything again, because the source has changed.
    :param unseen_attempts: the numbers of earlier attempts whose files and checkpoint can't be seen here.
    :param restart_if_changed: whether to send everything again if the source changed between attempts; otherwise a
        changed source is an error.
    :param more_attempts: whether Airflow would make another attempt after this one.
    :param supervisor: the process without which this one has to stop; None if nothing else can start an attempt.
    :param observers: who shows the delivery while it runs.
    :param user_headers: returns the headers that carry a user's token, where each user has one (G14). Blocks.
    :param clock: tells the time.
    """

    vendor: Vendor
    endpoint: Endpoint
    source: Source
    output: Folder
    attempt: str
    destination: Destination = field(default_factory=Destination)
    fields: FieldMap | None = None
    max_in_flight: int = 16
    requests_per_second: float | None = None
    patience: Patience = field(default_factory=Patience)
    validate_only: bool = False
    held: CarryOverFolder | None = None
    ledger: Ledger | None = None
    replay: Replay | None = None
    shows_recent: bool = True
    max_rejected: float = math.inf
    store: CheckpointStore | None = None
    resume: bool = True
    starts_over: bool = False
    unseen_attempts: Sequence[int] = ()
    restart_if_changed: bool = False
    more_attempts: bool = False
    supervisor: Supervisor | None = None
    observers: Sequence[Observer] = ()
    user_headers: UserHeaders | None = None
    clock: Clock = field(default_factory=Clock)

    @property
    def public_names(self) -> frozenset[str]:
        """The field names that may stand in a log (A6): the contract's own, and those that the DAG's author wrote."""
        return self.vendor.known_fields | (frozenset() if self.fields is None else self.fields.names)


@dataclass(frozen=True, slots=True)
class Result:
    """How a delivery ended.

    :param report: the counts; they add up whatever happened.
    :param error: what ended it before its source's end; None if nothing did.
    :param repeated: whether an earlier attempt had completed the run: nothing was sent, and the report is that one's.
    :param first_fault: where the first invalid record is, in words that may be logged; None if there is none.
    :param faults: what is wrong with most of the invalid records that this attempt found, with their number, such as
        `G8 $.unit is missing`: in words that may be logged.
    :param recent: of an incremental delivery, each device's most recent sample that was delivered (G9).
    :param first_request: with `validate_only`, the first request that would be sent, in words that may be logged.
    """

    report: Report
    error: Exception | None = None
    first_fault: str | None = None
    faults: Mapping[str, int] = field(default_factory=dict)
    repeated: bool = False
    recent: Mapping[str, str] = field(default_factory=dict)
    first_request: str | None = None
