"""The page that shows a person what arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, Template

from airflow_provider_userdata.sandbox.arrivals import JsonObject
from airflow_provider_userdata.sandbox.vendor import FakeVendor

_SHOWN = 20
_LONGEST = 600


def render(vendors: Mapping[str, FakeVendor]) -> str:
    """Make the page, as HTML.

    :param vendors: the vendors by name.
    """
    return _template().render(vendors=vendors.values(), shown=_SHOWN)


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"as_json": _as_json, "as_time": _as_time}
    return environment.from_string(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))


def _as_json(record: JsonObject) -> str:
    text = json.dumps(record, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"


def _as_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().time().isoformat("milliseconds")
