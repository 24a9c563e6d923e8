"""The page that shows a person what arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files

from airflow_provider_userdata.sandbox.arrivals import Arrival, Counts, JsonObject
from airflow_provider_userdata.sandbox.vendor import FakeVendor

_SHOWN = 20
_LONGEST = 600


def render(vendors: Mapping[str, FakeVendor]) -> str:
    """Make the page, as HTML.

    :param vendors: the vendors by name.
    """
    body = _overview(vendors) + "".join(_section(vendor) for vendor in vendors.values())
    return _template().replace("<!-- what arrived -->", body)


@cache
def _template() -> str:
    return files(__package__).joinpath("page.html").read_text(encoding="utf-8")


def _overview(vendors: Mapping[str, FakeVendor]) -> str:
    rows = "".join(_overview_row(vendor, vendor.counts) for vendor in vendors.values())
    heads = ("Requests", "Accepted", "Not accepted", "In flight", "Records", "Distinct", "More than once")
    head = "".join(f'<th scope="col" class="number">{name}</th>' for name in heads)
    return (
        f'<div class="scroll card"><table class="overview"><thead><tr><th scope="col">Vendor</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _overview_row(vendor: FakeVendor, counts: Counts) -> str:
    other = counts.requests - counts.accepted_requests - counts.in_flight
    numbers = (counts.requests, counts.accepted_requests, other, counts.in_flight, counts.records, counts.distinct)
    cells = "".join(_number(number) for number in numbers)
    again = _number(counts.repeated, "bad" if counts.repeated else "")
    return f'<tr><th scope="row"><a href="#{vendor.name}">{escape(vendor.title)}</a></th>{cells}{again}</tr>'


def _number(value: int, kind: str = "") -> str:
    return f'<td class="number {kind if value else "none"}">{value:,}</td>'


def _section(vendor: FakeVendor) -> str:
    requests, records = vendor.requests, vendor.arrived()
    return (
        f'<section id="{vendor.name}" class="card"><h2>{escape(vendor.title)}</h2>{_facts(vendor)}'
        f'<div class="columns"><div><h3>Last requests</h3>{_requests(requests[-_SHOWN:])}</div>'
        f"<div><h3>Last accepted records</h3>{_records(records[-_SHOWN:])}</div></div></section>"
    )


def _facts(vendor: FakeVendor) -> str:
    counts = vendor.counts
    answers = [_chip(f"{status}: {number:,}", _kind(status)) for status, number in counts.by_status.items()]
    if counts.unanswered - counts.in_flight:
        answers.append(_chip(f"no answer: {counts.unanswered - counts.in_flight:,}", "bad"))
    facts = {
        "Answers": answers,
        "Next": [_chip(text, "plain") for text in vendor.pending[:_SHOWN]],
        "By chance": [_chip(f"{text}: {share:.0%}", "plain") for text, share in vendor.chances.items()],
        "Settings": [_chip(text, "plain") for text in _settings(vendor)],
    }
    more = len(vendor.pending) - _SHOWN
    if more > 0:
        facts["Next"].append(f"and {more:,} more")
    rows = "".join(f"<dt>{name}</dt><dd>{' '.join(chips)}</dd>" for name, chips in facts.items() if chips)
    return f"<dl>{rows}</dl>" if rows else ""


def _settings(vendor: FakeVendor) -> list[str]:
    texts = []
    if getattr(vendor, "maintenance", False):
        texts.append("maintenance")
    if vendor.latency:
        texts.append(f"latency {vendor.latency:g} s")
    if limit := vendor.rate_limit:
        texts.append(f"{limit.per_second:g} requests/s, {vendor.counts.rate_limited:,} refused")
    return texts


def _requests(requests: list[Arrival]) -> str:
    if not requests:
        return '<p class="empty">None yet.</p>'
    rows = "".join(_request(request) for request in reversed(requests))
    return (
        '<div class="scroll"><table><thead><tr><th scope="col">Time</th><th scope="col">Answer</th>'
        '<th scope="col" class="number">Records</th><th scope="col" class="number">Bytes</th>'
        '<th scope="col" class="number">ms</th><th scope="col">Script</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _request(request: Arrival) -> str:
    at = datetime.fromtimestamp(request.at).astimezone()
    if request.status is not None:
        answer = _chip(str(request.status), _kind(request.status))
    else:
        answer = _chip("in flight", "plain") if request.ended is None else _chip("no answer", "bad")
    took = "" if request.ended is None else f"{(request.ended - request.started) * 1000:,.1f}"
    return (
        f'<tr title="{escape(request.path)}"><td class="time">{at:%H:%M:%S}.{at.microsecond // 1000:03}</td>'
        f"<td>{answer}</td>{_number(request.accepted)}{_number(len(request.body))}"
        f'<td class="number">{took}</td><td>{escape(request.fault)}</td></tr>'
    )


def _records(records: list[JsonObject]) -> str:
    if not records:
        return '<p class="empty">None yet.</p>'
    items = "".join(f"<li><code>{_text(record)}</code></li>" for record in reversed(records))
    return f'<ol class="records">{items}</ol>'


def _text(record: JsonObject) -> str:
    text = json.dumps(record, ensure_ascii=False)
    return escape(text if len(text) <= _LONGEST else text[:_LONGEST] + " …")


def _chip(text: str, kind: str) -> str:
    return f'<span class="chip {kind}">{escape(text)}</span>'


def _kind(status: int) -> str:
    return "good" if status == 200 else "odd" if status < 400 else "bad"
