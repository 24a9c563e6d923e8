"""What GeroSense's double does for many users: logins, tokens, registrations, computations (G14)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from airflow_provider_userdata.sandbox.answers import FakeAnswer
from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.reading import ContractBreach, only_keys, read_json
from airflow_provider_userdata.sandbox.script import Scripted

LOGIN = "sandbox-gerosense-account"


class Tokens:
    """The tokens of the direct API: from a login, each good for some POSTs.

    :param password: the account's password; tokens begin with it, so that who looks for one finds the others.
    """

    def __init__(self, password: str) -> None:
        self._password = password
        self.asked = 0
        """How many logins came, the refused ones included."""
        self.issued = 0
        """How many tokens were given out."""
        self.lasts: int | None = None
        """For how many POSTs a token is good; None: for all."""
        self._left: dict[str, int | None] = {}

    def log_in(self, form: Any) -> FakeAnswer:
        """Answer a login."""
        if form.keys() != {"username", "password"}:
            return FakeAnswer.json(422, {"detail": "username and password are required, and nothing else"})
        if (form["username"], form["password"]) != (LOGIN, self._password):
            return FakeAnswer.json(401, {"detail": "incorrect username or password"})
        self.issued += 1
        token = f"{self._password}-{self.issued}"
        self._left[token] = self.lasts
        return FakeAnswer.json(200, {"access_token": token, "token_type": "Bearer"})

    def expire(self) -> None:
        """Let no token be good any more."""
        self._left = {}

    def use(self, request: web.Request) -> FakeAnswer | None:
        """Use a request's token; return the answer if it isn't good: 403 means that it has expired."""
        token = bearer(request)
        if not token.startswith(self._password):
            return FakeAnswer.json(401, {"detail": "not authenticated"})
        left = self._left.get(token, 0)
        if left == 0:
            return FakeAnswer.json(403, {"detail": "the token has expired"})
        if left is not None:
            self._left[token] = left - 1
        return None


class Registrations(Scripted):
    """The users that the direct API knows. Its own script decides about the next registrations."""

    def __init__(self) -> None:
        self.clear_faults()
        self.users: dict[str, JsonObject] = {}
        """The registered users, by their ids."""
        self.requests = 0
        """How many registrations came, the refused ones and repetitions included."""

    def register(self, request: web.Request, body: bytes) -> FakeAnswer | None:
        """Answer a registration; None drops the connection."""
        self.requests += 1
        fault = self.next_fault()
        if fault.accepts and (refusal := self._entered(request, body)):
            return refusal
        if fault.action == "ok":
            return FakeAnswer.json(200, {})
        if fault.status is None:
            return None
        return FakeAnswer(fault.status, b'{"detail": "scripted"}', headers=fault.sent_headers())

    def _entered(self, request: web.Request, body: bytes) -> FakeAnswer | None:
        try:
            user = _user(read_json("G14", request, body))
        except ContractBreach as refused:
            return FakeAnswer.json(422, {"detail": refused.message})
        if user["id"] in self.users:
            return FakeAnswer.json(400, {"detail": "the user was registered previously"})
        self.users[user["id"]] = user
        return None


def _user(value: Any) -> JsonObject:
    user = only_keys("G14", value, (), ("id", "biological_sex", "year_of_birth"))
    check_id(user["id"], "id")
    if user["biological_sex"] not in ("Male", "Female"):
        raise ContractBreach("G14", ("biological_sex",), "must be Male or Female")
    if type(user["year_of_birth"]) is not int:
        raise ContractBreach("G14", ("year_of_birth",), "must be an integer")
    return user


def calculation(request: web.Request, body: bytes, user: str | None) -> JsonObject:
    """Read a request for a user's biological age.

    :param user: whom a proxy's token stands for; None with the direct API, where the body says it.
    :raises ContractBreach: if it isn't one.
    """
    required = ("user_id",) if user is None else ()
    asked = only_keys("G14", read_json("G14", request, body), (), required, frozenset({*required, "model_type"}))
    if asked.get("model_type", "steps") not in ("steps", "bpm"):
        raise ContractBreach("G14", ("model_type",), "must be steps or bpm")
    if user is None:
        check_id(asked["user_id"], "user_id")
    return {"user_id": user, **asked}


def check_id(value: Any, field: str) -> None:
    """Check that a user's id is a string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ContractBreach("G14", (field,), "must be a string that is not blank")


def bearer(request: web.Request) -> str:
    """Return a request's token."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind == "Bearer" else ""
