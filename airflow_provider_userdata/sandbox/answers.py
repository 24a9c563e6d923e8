"""How a vendor's answer becomes a response, whole or broken."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED)


@dataclass(frozen=True, slots=True)
class FakeAnswer:
    """What a vendor answers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: Any) -> FakeAnswer:
        """Make an answer of a JSON value."""
        return cls(status, json.dumps(value).encode())


def respond(answer: FakeAnswer) -> web.Response:
    """Put an answer as aiohttp takes it."""
    if answer.status in _BODILESS:
        return web.Response(status=answer.status, headers=answer.headers)
    headers = {"Content-Type": answer.content_type, **{name.title(): text for name, text in answer.headers.items()}}
    if not answer.body:
        headers.pop("Content-Type")
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def respond_half(request: web.Request, answer: FakeAnswer) -> web.StreamResponse:
    """Promise the whole body, send half of it, and hang up."""
    body = answer.body or b"{}"
    response = web.StreamResponse(status=answer.status)
    response.content_type = answer.content_type
    response.content_length = len(body)
    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
    drop(request)
    return response


def drop(request: web.Request) -> web.Response:
    """Close the connection; aiohttp wants a response all the same, and finds nobody to send it to."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
