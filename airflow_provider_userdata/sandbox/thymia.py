"""Thymia's double: one user's data a request."""

from __future__ import annotations

import uuid

from aiohttp import web

from airflow_provider_userdata.sandbox.answers import FakeAnswer
from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.reading import ContractBreach, only_keys, read_json
from airflow_provider_userdata.sandbox.vendor import FakeVendor


class FakeThymia(FakeVendor):
    """``POST /v1/user-data/{upload_type}`` and ``GET /v1/account``, as Thymia has them (T1, T2, T4-T6, T9, T10, T12).

    Stricter than the page, which says nothing about it: a blank ``userLabel`` and keys that the page doesn't name are
    refused. ``data`` may be any object, ``{}`` too: its format is agreed with Thymia, and the sandbox can't know it.
    """

    name = "thymia"
    title = "Thymia"
    key = "sandbox-thymia-key"
    paths = ("/v1/user-data", "/v1/account")

    def routes(self) -> list[web.RouteDef]:
        """Its paths."""
        return [web.post("/v1/user-data/{upload_type}", self.post), web.get("/v1/account", self.account)]

    async def account(self, request: web.Request) -> web.Response:
        """``GET /v1/account``: whose key it is (T12)."""
        if not self.authorised(request):
            return web.json_response({"detail": "the key is missing or wrong"}, status=401)
        return web.json_response({"id": "sandbox", "features": ["user-data"]})

    def authorised(self, request: web.Request) -> bool:
        """Return whether the key is there, in ``x-api-key`` (T2)."""
        return request.headers.get("x-api-key") == self.key

    def namespace(self, request: web.Request) -> str:
        """Return the upload type: the same body under another type is another record."""
        return request.match_info["upload_type"]

    def check(self, request: web.Request, body: bytes) -> list[JsonObject]:
        """One record: the body itself (T5, T6)."""
        upload_type = request.match_info["upload_type"]
        if not upload_type.strip() or upload_type in (".", ".."):
            raise ContractBreach("T4", ("path", "upload_type"), "must name a type", "value_error")
        try:
            return [_upload(read_json("T1", request, body))]
        except ContractBreach as refused:
            refused.loc = ("body", *refused.loc)
            raise

    def success(self, *, receipt: bool) -> FakeAnswer:
        """Return the upload's id, which is the receipt (T9)."""
        return FakeAnswer.json(200, {"uploadId": str(uuid.uuid4())} if receipt else {})

    def refusal(self, refused: ContractBreach) -> FakeAnswer:
        """422, with where and what (T10)."""
        detail = {"loc": list(refused.loc), "msg": f"{refused.reason} ({refused.rule})", "type": refused.kind}
        return FakeAnswer.json(422, {"detail": [detail]})

    def error(self, status: int, message: str) -> FakeAnswer:
        """Other errors have a text for their detail."""
        return FakeAnswer.json(status, {"detail": message})


def _upload(value: object) -> JsonObject:
    upload = only_keys("T5", value, (), ("user", "data"))
    user = only_keys("T5", upload["user"], ("user",), ("userLabel",))
    label = user["userLabel"]
    if not isinstance(label, str):
        raise ContractBreach("T6", ("user", "userLabel"), "must be a string", "string_type")
    if not label.strip():
        raise ContractBreach("T6", ("user", "userLabel"), "must not be blank", "string_too_short")
    if not isinstance(upload["data"], dict):
        raise ContractBreach("T5", ("data",), "must be an object", "dict_type")
    return upload
