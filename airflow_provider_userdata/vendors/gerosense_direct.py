"""GeroSense's direct API, for servers that hold many users' data: login, registration, samples (G14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

import msgspec

from airflow_provider_userdata.records import Record, array_of, users_of
from airflow_provider_userdata.vendors.answers import (
    Accepted,
    Answer,
    Meaning,
    Refused,
    Retry,
    Stop,
    UserRefused,
    shared_meaning,
)
from airflow_provider_userdata.vendors.contract import Request
from airflow_provider_userdata.vendors.gerosense_user import BIOLOGICAL_SEX, USER_ID, YEAR_OF_BIRTH, Person
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers
from airflow_provider_userdata.vendors.rules import NOT_ACCEPTED, WRONG_ACCESS

URL = "https://api-b2b.gerosense.ai"
SAMPLES_PATH = "/api/v2.2/samples"
LOGIN_PATH = "/api/v1.0/login/access-token"
USER_PATH = "/api/v2.2/user"
CALCULATE_PATH = "/api/v2.2/bioage/calculate"

_KNOWN_ALREADY = frozenset({400, 409})
"""The vendor documents 400 for a user who is registered already. If it refuses the values instead, it will refuse the
user's samples, too, and say why: nothing is lost by sending them."""
_NO_LOGIN = frozenset({400, 401, 403, 422})
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class GeroSenseDirect(GeroSenseUsers):
    """The contract of many users' samples, with the direct API."""

    status_path: ClassVar[str | None] = None  # only proxies have one

    def request(self, records: Sequence[Record]) -> Request:
        """Return a request with one user's samples."""
        user, kind = _encode(str(users_of(records)[0])), _encode(self.samples.data_type)
        return Request(SAMPLES_PATH, (b'{"user_id":%b,"data_type":%b,"data":' % (user, kind), *array_of(records), b"}"))

    def introduction(self, records: Sequence[Record]) -> Request | None:
        """Return the registration of the records' user; None if they don't say what registers it."""
        person = next((user for user in users_of(records) if isinstance(user, Person)), None)
        if person is None:
            return None
        body = {"id": str(person), BIOLOGICAL_SEX: person.biological_sex, YEAR_OF_BIRTH: person.year_of_birth}
        return Request(USER_PATH, (_encode(body),))

    def introduced(self, answer: Answer) -> Meaning:
        """Return what an answer to a registration means. What is unclear lets the samples go: their answer decides."""
        if 200 <= answer.status < 300 or answer.status in _KNOWN_ALREADY:
            return Accepted()
        meaning = shared_meaning(answer, refusal_rule="G14")
        if isinstance(meaning, Refused):
            return UserRefused("G14", f"is of a user whose registration was refused: {meaning.reason}")
        return meaning

    def follow_up(self, user: str | None) -> Request | None:
        """Return the request for the user's biological age."""
        if not self.samples.calculates:
            return None
        return Request(CALCULATE_PATH, (_encode({USER_ID: str(user), "model_type": self.samples.data_type}),))

    def login(self, name: str, password: str) -> Request:
        """Return the request for a token."""
        form = urlencode({"username": name, "password": password}).encode()
        return Request(LOGIN_PATH, (form,), "application/x-www-form-urlencoded")

    def token(self, answer: Answer) -> Mapping[str, str] | Meaning:
        """Return the headers that carry the token in an answer, or what it means if there is none."""
        if answer.status in _NO_LOGIN:
            return Stop(WRONG_ACCESS, f"answered {answer.status} to the login: login or password is not valid")
        if answer.status != 200:
            meaning = shared_meaning(answer)
            if isinstance(meaning, Retry | Stop):
                return meaning
            return Stop(NOT_ACCEPTED, f"answered {answer.status} to the login")
        body = answer.json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
            return Stop(NOT_ACCEPTED, f"answered 200 to the login, with {answer.looks_like()}, without a token")
        return {"Authorization": f"Bearer {token}"}
