"""What a vendor declares: how its records are prepared, batched and requested, and what its answers mean."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Any, ClassVar, NamedTuple, Protocol

from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors.answers import Answer, Meaning, shared_meaning
from airflow_provider_userdata.vendors.rules import LEFT_AT_THE_END, OUT_OF_REACH
from airflow_provider_userdata.vendors.validation import Invalid, decoded


class Checked(NamedTuple):
    """The result of checking rows.

    :param records: the valid records, in order, with their rows and positions.
    :param invalid: the invalid rows, each with its index.
    """

    records: Sequence[Record]
    invalid: list[tuple[int, Invalid]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same columns, as columns.

    :param names: the columns' names, without duplicates.
    :param columns: the values of each, one for each row.
    :param count: how many rows there are.
    :param texts: whether texts have no type, as in a CSV file: a text may stand for a number, or for nothing.
    """

    names: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    count: int
    texts: bool = False


class Compared(NamedTuple):
    """The part of each record that the ledger compares. Equal records have equal parts.

    :param partitions: each record's partition in the ledger, such as its user.
    :param contents: what is compared of each record.
    """

    partitions: Sequence[str | bytes]
    contents: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How many records a request carries (T1, G3, P4).

    :param minimum: fewer records than this are held, not sent (G4).
    :param maximum: more records than this are split.
    :param user_once: a request contains each user once, and a user's later record is sent when the earlier one
        has its outcome (P8).
    :param one_user: a request contains one user's records, and both limits hold for each user's alone (G14).
    """

    minimum: int = 1
    maximum: int = 1
    user_once: bool = False
    one_user: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the vendor.

    :param path: below the connection's address.
    :param parts: of the body; they are joined when the request is sent.
    :param content_type: of the body.
    :param headers: the credential, if requests don't all have the same one; never shown in messages.
    """

    path: str
    parts: tuple[bytes | memoryview, ...]
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.parts)

    @property
    def size(self) -> int:
        """The body's size in bytes."""
        return sum(map(len, self.parts))


class Moment(NamedTuple):
    """When a device's sample began.

    :param text: the timestamp, as it is sent.
    """

    device: str
    text: str
    instant: datetime


class LedgerMode(enum.Enum):
    """What a ledger keeps of a vendor's records. The value is the number of bytes of a key that name its partition."""

    RECORDS = 4
    """Each record, in a partition with those that come with it."""
    USERS_RECORDS = 8
    """Each record, in its user's partition."""
    STATES = 16
    """Each user's last state: the user is the key."""


class Vendor(Protocol):
    """A vendor's side of the contract: pure decisions. No I/O, no loops over requests, no clock."""

    name: ClassVar[str]
    """The connection type, such as `gerosense`."""
    limits: ClassVar[BatchLimits]
    """How many records a request carries."""
    suspect_rule: ClassVar[str]
    """The rule that a refused group is filed under, where the records at fault can't be told apart (G12, P11)."""
    known_fields: ClassVar[frozenset[str]]
    """The contract's own field names: the only keys of records that may stand in a log (A6)."""
    request_names: ClassVar[frozenset[str]] = frozenset()
    """The names that a request's body has around its records, beside those."""
    rules: ClassVar[Mapping[str, str]] = {}
    """What each of the vendor's rules says in a few words, by its number: every rule that a record may break."""
    too_few_rule: ClassVar[str] = LEFT_AT_THE_END
    """The rule that records are held under where they are fewer than a request's minimum (G4)."""
    maintenance_rule: ClassVar[str] = OUT_OF_REACH
    """The rule that records are held under while the vendor takes no requests (G13)."""
    resend_is_harmless: ClassVar[bool] = False
    """Whether a record that is sent twice has the same effect as one that is sent once."""
    status_path: ClassVar[str | None] = None
    """The path of the vendor's status, which says if it takes requests now; None if it has none (G13)."""
    usual_user_characters: ClassVar[int | None] = None
    """The longest usual `Record.user`, in characters. Longer ones are sent, with a warning once a run (T6)."""
    kept: ClassVar[LedgerMode] = LedgerMode.RECORDS
    """What a ledger keeps, so that later runs know what needn't be sent again."""

    def compared(self, records: Sequence[Record]) -> Compared:
        """Return the part of each record that the ledger compares, whatever its source."""
        return Compared([record.user or "" for record in records], [record.body for record in records])

    def moments(self, records: Sequence[Record]) -> Iterable[Moment]:
        """Return each device with the start of its latest record; empty if records have no devices (G9)."""
        return ()

    def prepare_json(self, text: bytes) -> Record | Invalid:
        """Check one JSON text, and encode the record."""
        value = decoded(text)
        return value if isinstance(value, Invalid) else self.prepare_value(value)

    def prepare_texts(self, texts: Sequence[bytes], positions: Sequence[int]) -> Checked:
        """Check JSON texts, each as `prepare_json` does; a vendor may do many faster."""
        return sorted_out(map(self.prepare_json, texts), texts, positions)

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check one Python value, and encode the record."""

    def prepare_cells(self, names: tuple[str, ...], cells: Sequence[Any]) -> Record | Invalid:
        """Check one row of a table whose texts have no type, and encode the record. By default, they stay text.

        :param names: the columns' names, without duplicates; `cells` has one cell for each.
        """
        return self.prepare_value(dict(zip(names, cells, strict=True)))

    def prepare_table(self, table: Table, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check rows, each as `prepare_cells` or `prepare_value` does; a vendor may do many faster.

        :param table: the rows' values.
        :param rows: the rows as the source returned them.
        """
        return sorted_out(map(self.prepare_row, repeat(table), range(table.count)), rows, positions)

    def prepare_row(self, table: Table, place: int) -> Record | Invalid:
        """Check one row of a table alone."""
        values = [column[place] for column in table.columns]
        if table.texts:
            return self.prepare_cells(table.names, values)
        return self.prepare_value(dict(zip(table.names, values, strict=True)))

    def held_texts(self, records: Sequence[Record]) -> Sequence[bytes]:
        """Return records as JSON texts in which a later run finds them again."""
        return [record.body for record in records]

    def of_held(self) -> Vendor:
        """Return the contract of records that an earlier run held, in the form of `held_texts`."""
        return self

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with valid records of one group."""

    def meaning(self, answer: Answer) -> Meaning:
        """Return what an answer to such a request means."""

    def takes_requests(self, answer: Answer) -> bool:
        """Return whether the vendor takes requests, by the answer of `status_path`."""
        return True

    def receipt(self, records: Sequence[Record], answer: Answer) -> dict[str, str]:
        """Return what the vendor's receipt adds to the line of an accepted request."""
        return {}

    def introduction(self, records: Sequence[Record]) -> Request | None:
        """Return what the vendor has to accept before it takes the first records of their user; None if nothing."""
        return None

    def introduced(self, answer: Answer) -> Meaning:
        """Return what the answer to an introduction means; `Accepted` lets the user's records go."""
        return shared_meaning(answer)

    def follow_up(self, user: str | None) -> Request | None:
        """Return what to send once a user's records are delivered; None if nothing. No record depends on its answer."""
        return None

    def login(self, name: str, password: str) -> Request:
        """Return the request for a token, if requests carry one instead of a key."""
        reason = f"{self.name} has no login"
        raise NotImplementedError(reason)

    def token(self, answer: Answer) -> Mapping[str, str] | Meaning:
        """Return the headers that carry the token in an answer to a login, or what it means if there is none."""
        return shared_meaning(answer)


def sorted_out(found: Iterable[Record | Invalid], rows: Sequence[Any], positions: Sequence[int]) -> Checked:
    """Separate valid records from invalid ones, and set the records' rows and positions."""
    records: list[Record] = []
    invalid: list[tuple[int, Invalid]] = []
    for place, one in enumerate(found):
        if isinstance(one, Record):
            one.row, one.position = rows[place], positions[place]
            records.append(one)
        else:
            invalid.append((place, one))
    return Checked(records, invalid)
