"""GeroSense for many users: whose each sample is, and what registers its user (G14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import msgspec

from airflow_provider_userdata.records import Record, RecordBatch, lines_of, users_of, without
from airflow_provider_userdata.vendors.answers import Answer, Meaning
from airflow_provider_userdata.vendors.contract import (
    BatchLimits,
    Checked,
    Compared,
    LedgerMode,
    Request,
    Table,
    Vendor,
)
from airflow_provider_userdata.vendors.gerosense import STATUS_PATH, GeroSense
from airflow_provider_userdata.vendors.gerosense_sample import FEWEST_SAMPLES, FIELDS, MOST_SAMPLES, REQUEST_NAMES
from airflow_provider_userdata.vendors.gerosense_user import (
    BIOLOGICAL_SEX,
    USER_FIELDS,
    USER_ID,
    YEAR_OF_BIRTH,
    Person,
    UserColumns,
)
from airflow_provider_userdata.vendors.validation import Fault, Invalid, decoded, is_utf_8

_encode = msgspec.json.Encoder().encode
_HELD = UserColumns(USER_ID, BIOLOGICAL_SEX, YEAR_OF_BIRTH, must_register=False)
"""How a file of held samples names a user."""


@dataclass(frozen=True, slots=True)
class GeroSenseUsers(Vendor):
    """The contract of many users' samples, through a proxy that knows each user by a token.

    :param samples: the contract of a sample.
    :param columns: where a record says whose it is.
    """

    samples: GeroSense
    columns: UserColumns = field(default_factory=UserColumns)

    name: ClassVar[str] = GeroSense.name
    limits: ClassVar[BatchLimits] = BatchLimits(minimum=FEWEST_SAMPLES, maximum=MOST_SAMPLES, one_user=True)
    kept: ClassVar[LedgerMode] = LedgerMode.USERS_RECORDS
    suspect_rule: ClassVar[str] = GeroSense.suspect_rule
    rules: ClassVar[Mapping[str, str]] = GeroSense.rules
    too_few_rule: ClassVar[str] = GeroSense.too_few_rule
    maintenance_rule: ClassVar[str] = GeroSense.maintenance_rule
    known_fields: ClassVar[frozenset[str]] = FIELDS | USER_FIELDS
    request_names: ClassVar[frozenset[str]] = REQUEST_NAMES
    status_path: ClassVar[str | None] = STATUS_PATH

    def prepare_value(self, value: object) -> Record | Invalid:
        """Check a sample, and whose it is."""
        if not isinstance(value, dict):
            return self.samples.prepare_value(value)
        return self._prepared(value, self.samples.prepare_value, texts=False)

    def prepare_cells(self, names: tuple[str, ...], cells: Sequence[Any]) -> Record | Invalid:
        """Check a sample of text cells, and whose it is."""

        def prepare(sample: dict[Any, Any]) -> Record | Invalid:
            return self.samples.prepare_cells(tuple(sample), list(sample.values()))

        return self._prepared(dict(zip(names, cells, strict=True)), prepare, texts=True)

    def _prepared(
        self, value: dict[Any, Any], prepare: Callable[[dict[Any, Any]], Record | Invalid], *, texts: bool
    ) -> Record | Invalid:
        names = self.columns.names
        user = self.columns.user_of([value.get(name) for name in names], texts=texts)
        record = prepare({name: item for name, item in value.items() if name not in names})
        if isinstance(user, Fault):
            return Invalid((user, *(record.faults if isinstance(record, Invalid) else ())))
        if isinstance(record, Record):
            record.user = user
        return record

    def prepare_texts(self, texts: Sequence[bytes], positions: Sequence[int]) -> Checked:
        """Check samples as columns; those that are not valid are explained alone."""
        table = self._table_of([decoded(text) for text in texts])
        if table is None:
            return Vendor.prepare_texts(self, texts, positions)
        records, invalid = self.prepare_table(table, texts, positions)
        return Checked(records, [(place, self._explained(texts[place], why)) for place, why in invalid])

    def _explained(self, text: bytes, why: Invalid) -> Invalid:
        """Return what is wrong with a text itself: as a row of a table, it has nulls for what is missing."""
        alone = self.prepare_json(text)
        return alone if isinstance(alone, Invalid) else why

    def _table_of(self, values: Sequence[Any]) -> Table | None:
        """Return objects as columns, with None for what is missing; None if one of them has other keys."""
        if set(map(type, values)) != {dict}:
            return None
        found = set().union(*values)
        if not found <= FIELDS | set(self.columns.names):
            return None
        names = tuple(found)
        return Table(names, [[value.get(name) for value in values] for name in names], len(values))

    def prepare_table(self, table: Table, rows: Sequence[Any], positions: Sequence[int]) -> Checked:
        """Check samples as columns; rows without a user are explained alone."""
        own = set(self.columns.names)
        users = self._users_of(table)
        unfit = [place for place, user in enumerate(users) if isinstance(user, Fault)]
        fitting: Sequence[int] = without(range(table.count), unfit) if unfit else range(table.count)
        samples = [(name, column) for name, column in zip(table.names, table.columns, strict=True) if name not in own]
        columns = [without(column, unfit) if unfit else column for _, column in samples]
        rest = Table(tuple(name for name, _ in samples), columns, len(fitting), table.texts)
        if unfit:
            rows, positions = without(rows, unfit), without(positions, unfit)
        checked = self.samples.prepare_table(rest, rows, positions) if fitting else Checked([], [])
        invalid = [(fitting[place], why) for place, why in checked.invalid]
        records = _with_users(checked, without(users, unfit) if unfit else users)
        alone = [(place, self.prepare_row(table, place)) for place in unfit]
        invalid += [(place, one) for place, one in alone if isinstance(one, Invalid)]
        return Checked(records, sorted(invalid, key=lambda pair: pair[0]) if unfit else invalid)

    def _users_of(self, table: Table) -> Sequence[str | Fault]:
        """Return whose each row is, or what is wrong with it."""
        columns = dict(zip(table.names, table.columns, strict=True))
        nothing = [None] * table.count
        cells = [columns.get(name, nothing) for name in self.columns.names]
        if len(cells) == 1 and set(map(type, cells[0])) == {str}:  # the usual case
            names = set(cells[0])
            if all(map(str.strip, names)) and all(map(is_utf_8, names)):
                return cells[0]
        known: dict[Any, str | Fault] = {}
        return [self._user_of_row(row, known, texts=table.texts) for row in zip(*cells, strict=True)]

    def _user_of_row(self, row: tuple[Any, ...], known: dict[Any, str | Fault], *, texts: bool) -> str | Fault:
        try:
            key = (row, *map(type, row))  # 1990 and 1990.0 are equal
            if key not in known:
                known[key] = self.columns.user_of(row, texts=texts)
            return known[key]
        except TypeError:  # a list has no hash
            return self.columns.user_of(row, texts=texts)

    def held_texts(self, records: Sequence[Record]) -> Sequence[bytes]:
        """Return samples with their users, and with what registers those."""
        return [b"{%b,%b" % (_encode(_shown(record.user or ""))[1:-1], record.body[1:]) for record in records]

    def of_held(self) -> Vendor:
        """Return the contract of held samples. What registers their users may be missing, if their run had none."""
        return replace(self, columns=_HELD)

    def compared(self, records: Sequence[Record]) -> Compared:
        """Give each sample's user, and the sample as a whole."""
        return Compared([user or "" for user in users_of(records)], lines_of(records))

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with one user's samples: the token says whose they are."""
        return self.samples.request(records)

    def meaning(self, answer: Answer) -> Meaning:
        """Return what an answer means."""
        return self.samples.meaning(answer)

    def takes_requests(self, answer: Answer) -> bool:
        """Return whether the vendor is not in maintenance (G13)."""
        return self.samples.takes_requests(answer)

    def receipt(self, records: Sequence[Record], answer: Answer) -> dict[str, str]:  # noqa: ARG002  # no receipt in it
        """Return the user."""
        return {USER_ID: str(users_of(records)[0] or "")}

    def follow_up(self, user: str | None) -> Request | None:
        """Return the request for the user's biological age."""
        return self.samples.follow_up(user)


def _shown(user: str) -> dict[str, Any]:
    if isinstance(user, Person):
        return {USER_ID: str(user), BIOLOGICAL_SEX: user.biological_sex, YEAR_OF_BIRTH: user.year_of_birth}
    return {USER_ID: user}


def _with_users(checked: Checked, users: Sequence[Any]) -> Sequence[Record]:
    """Return the valid records with their users, of which there is one for each row."""
    if checked.invalid:
        users = without(users, [place for place, _ in checked.invalid])
    records = checked.records
    if isinstance(records, RecordBatch):
        return RecordBatch(records.rows, records.positions, records.lines, users)
    for record, user in zip(records, users, strict=True):
        record.user = user
    return records
