"""Thymia: one user's data a request (T1 to T12)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote
from uuid import UUID

import msgspec
from msgspec import Meta

from airflow_provider_userdata.records import Record
from airflow_provider_userdata.vendors.answers import (
    SHOWN_CHARACTERS,
    Accepted,
    Answer,
    Meaning,
    Refused,
    no_receipt,
    shared_meaning,
)
from airflow_provider_userdata.vendors.contract import BatchLimits, Compared, LedgerMode, Request, Vendor
from airflow_provider_userdata.vendors.pii import Guard
from airflow_provider_userdata.vendors.validation import (
    MOST_FAULTS,
    AgreedFormat,
    Fault,
    Invalid,
    Schema,
    compiled,
    decoded,
    encoded,
    is_shallow,
    rule,
    schema_of,
    user_name,
)

UPLOAD_PATH = "/v1/user-data"
ACCOUNT_PATH = "/v1/account"
USER_LABEL = "userLabel"
USUAL_LABEL_CHARACTERS = 50
"""A longer label is sent, with a warning once a run (T6)."""

_USUAL_UPLOAD_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class User(msgspec.Struct, forbid_unknown_fields=True):
    """Whom the data is about."""

    userLabel: Annotated[str, rule("T6", pattern=r"\S")]  # noqa: N815  # the vendor's name


class UserData(msgspec.Struct, forbid_unknown_fields=True):
    """One user's data, as a request carries it."""

    user: Annotated[User, rule("T5")]
    data: Annotated[dict[str, Any], Meta(min_length=1), rule("T5")]


def user_data_schema() -> Schema:
    """Generate the JSON Schema of a request's body, which is a record."""
    schema = schema_of(UserData, "A Thymia user's data")
    for definition in schema["$defs"].values():
        definition["x-rule"] = "T5"
    return schema


_encode_in_order = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(UserData).decode


_faults = compiled(user_data_schema(), default_rule="T5")


@dataclass(frozen=True, slots=True)
class Thymia(Vendor):
    """The contract of Thymia's uploads.

    :param upload_type: the upload type agreed with Thymia (T4).
    :param user_label: for flat records, the column that holds the label; the others are the data.
    :param agreement: checks `data` by the format agreed with Thymia (T7).
    :param guard: finds what looks like personally identifiable data, or None to let it pass (T8).
    """

    upload_type: str
    user_label: str | None = None
    agreement: AgreedFormat | None = None
    guard: Guard | None = None

    name: ClassVar[str] = "thymia"
    limits: ClassVar[BatchLimits] = BatchLimits()
    kept: ClassVar[LedgerMode] = LedgerMode.USERS_RECORDS
    suspect_rule: ClassVar[str] = "T10"
    usual_user_characters: ClassVar[int | None] = USUAL_LABEL_CHARACTERS
    rules: ClassVar[Mapping[str, str]] = {
        "T1": "cannot be written as JSON",
        "T5": "not of the form user and data",
        "T6": "userLabel blank or not a text",
        "T7": "not of the agreed format",
        "T8": "looks like personal data",
        "T9": "a success without an upload id",
        "T10": "refused by Thymia",
    }
    known_fields: ClassVar[frozenset[str]] = frozenset({"user", USER_LABEL, "data"})

    def prepare_json(self, text: bytes) -> Record | Invalid:
        """Check one user's data in a JSON text."""
        value = decoded(text)
        return value if isinstance(value, Invalid) else self.prepare_value(value, checked=is_shallow(text))

    def prepare_value(self, value: object, *, checked: bool = False) -> Record | Invalid:
        """Check one user's data, nested like a request or flat.

        :param checked: True if the value was decoded from a shallow JSON text, so that JSON can represent it.
        """
        if not isinstance(value, dict):
            return Invalid((Fault("T5", (), "is not an object"),))
        nested = _text_label(value if self.user_label is None else _nested(value, self.user_label))
        body = encoded(nested, "T1", checked=checked)
        if isinstance(body, Invalid):
            return body
        try:
            record = _decode(body)
        except msgspec.ValidationError:
            record = None
        if record is None or not record.user.userLabel.strip():
            return Invalid(_faults(msgspec.json.decode(body)) or (Fault("T5", (), "is not a user's data"),))
        faults = self._agreed_faults(record)
        return Invalid(faults) if faults else Record(body, user=record.user.userLabel)

    def compared(self, records: Sequence[Record]) -> Compared:
        """Return each record's label, and its data with sorted keys, so that the source's order doesn't matter."""
        data = [_encode_in_order(msgspec.json.decode(record.body)["data"]) for record in records]
        return Compared([record.user or "" for record in records], data)

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with its one record."""
        return Request(_path(self.upload_type), (records[0].body,))

    def meaning(self, answer: Answer) -> Meaning:
        """Return what an answer means: a 200 counts only with its receipt (T9), a 422 lists its faults (T10)."""
        if 200 <= answer.status < 300:
            if _upload_id(answer):
                return Accepted()
            return no_receipt(answer, "T9", "without an upload id")
        if answer.status == 422:
            return _refused(answer)
        return shared_meaning(answer, refusal_rule="T10")

    def receipt(self, records: Sequence[Record], answer: Answer) -> dict[str, str]:
        """Return the label and the vendor's upload id."""
        return {"user_label": records[0].user or "", "upload_id": _upload_id(answer) or ""}

    def _agreed_faults(self, record: UserData) -> tuple[Fault, ...]:
        personal = self.guard.find(record.user.userLabel, record.data) if self.guard else ()
        agreed = self.agreement.faults(record.data) if self.agreement else ()
        return (*personal, *agreed)[:MOST_FAULTS]


@functools.lru_cache
def _path(upload_type: str) -> str:
    return f"{UPLOAD_PATH}/{quote(upload_type, safe='')}"


def _nested(flat: dict[Any, Any], user_label: str) -> dict[str, Any]:
    data = {key: value for key, value in flat.items() if key != user_label}
    return {"user": {USER_LABEL: flat[user_label]} if user_label in flat else {}, "data": data}


def _text_label(record: dict[str, Any]) -> dict[str, Any]:
    """Replace an integer label by its decimal digits (T6); the rest is unchanged."""
    user = record.get("user")
    if isinstance(user, dict):
        label = user_name(user.get(USER_LABEL))
        if isinstance(label, int):
            with suppress(ValueError):  # Python refuses to write thousands of digits, and so does the encoding
                return {**record, "user": {**user, USER_LABEL: str(label)}}
    return record


def _upload_id(answer: Answer) -> str | None:
    body = answer.json()
    upload_id = body.get("uploadId") if isinstance(body, dict) else None
    if not isinstance(upload_id, str):
        return None
    if _USUAL_UPLOAD_ID.fullmatch(upload_id):
        return upload_id
    try:
        return str(UUID(upload_id))
    except ValueError:
        return None


def _refused(answer: Answer) -> Refused:
    """Return the vendor's faults from a 422, whatever its form."""
    body = answer.json()
    details = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(details, list) or not details or not isinstance(details[0], dict):
        return Refused("T10", f"answered 422: {answer.text()}")
    loc = details[0].get("loc")
    parts = [str(part) for part in loc if isinstance(part, str | int)] if isinstance(loc, list) else []
    path = ".".join(parts)[:SHOWN_CHARACTERS] or None
    messages = [msg for detail in details if isinstance(detail, dict) and isinstance(msg := detail.get("msg"), str)]
    return Refused("T10", f"answered 422: {'; '.join(messages)[:SHOWN_CHARACTERS]}", path)
