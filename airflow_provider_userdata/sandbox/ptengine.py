"""Ptengine's double: up to 100 users a request."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from aiohttp import web

from airflow_provider_userdata.sandbox.answers import FakeAnswer
from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.reading import ContractBreach, only_keys, read_json
from airflow_provider_userdata.sandbox.vendor import FakeVendor


class FakePtengine(FakeVendor):
    """``POST /v1/user/profiles``, as Ptengine's page has it (P1-P4, P8-P10).

    Stricter than the page, which says nothing about it: a blank ``user_id``, the same ``user_id`` twice in one request
    (nobody knows which row would win), a field named twice or not at all, a request without users and keys that the
    page doesn't name are refused.
    """

    name = "ptengine"
    title = "Ptengine"
    key = "sandbox-ptengine-key"
    paths = ("/v1/user/",)
    key_trial: ClassVar[JsonObject] = {"field_name": [], "values": []}

    def routes(self) -> list[web.RouteDef]:
        """Its path."""
        return [web.post("/v1/user/profiles", self.post)]

    def check(self, request: web.Request, body: bytes) -> list[JsonObject]:
        """Each row, as field and value (P2)."""
        value = read_json("P1", request, body)
        upload = only_keys("P2", value, (), ("field_name", "values"))
        names = _field_names(upload["field_name"])
        rows = upload["values"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= 100:
            raise ContractBreach("P4", ("values",), "must be an array of 1 to 100 users")
        users: set[str] = set()
        for position, row in enumerate(rows):
            _check_row(position, row, names)
            _check_user(position, names, row, users)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def success(self, *, receipt: bool) -> FakeAnswer:
        """Success, and when (P9)."""
        return self.error(200, "Success") if receipt else FakeAnswer.json(200, {})

    def refusal(self, refused: ContractBreach) -> FakeAnswer:
        """400: the request is not accepted (P10)."""
        return self.error(400, refused.message)

    def error(self, status: int, message: str) -> FakeAnswer:
        """Every answer has this form (P9)."""
        return FakeAnswer.json(status, {"msg": message, "timestamp": int(time.time())})


def _field_names(names: Any) -> list[str]:
    if not isinstance(names, list):
        raise ContractBreach("P2", ("field_name",), "must be an array")
    if len(names) > 50:
        raise ContractBreach("P3", ("field_name",), "must have at most 50 fields")
    for position, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise ContractBreach("P2", ("field_name", position), "must be a string that is not blank")
        if len(name) > 50:
            raise ContractBreach("P3", ("field_name", position), "must have at most 50 characters")
    if "user_id" not in names:
        raise ContractBreach("P3", ("field_name",), "must include user_id")
    if len(set(names)) != len(names):
        raise ContractBreach("P2", ("field_name",), "must not name a field twice")
    return names


def _check_row(position: int, row: Any, names: list[str]) -> None:
    if not isinstance(row, list) or len(row) != len(names):
        raise ContractBreach("P2", ("values", position), "must have a value for every field")
    for column, value in enumerate(row):
        if not isinstance(value, str):
            raise ContractBreach("P4", ("values", position, column), "must be a string")
        if len(value) > 128:
            raise ContractBreach("P4", ("values", position, column), "must have at most 128 characters")


def _check_user(position: int, names: list[str], row: list[str], seen: set[str]) -> None:
    column = names.index("user_id")
    user = row[column]
    if not user.strip():
        raise ContractBreach("P7", ("values", position, column), "user_id must not be blank")
    if user in seen:
        raise ContractBreach("P8", ("values", position, column), "the same user_id stands in an earlier row")
    seen.add(user)
