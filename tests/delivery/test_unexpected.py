"""What nobody expects, from a source or from a value's own methods, costs its own record at most, and no report."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest

from airflow_provider_userdata.delivery.outcomes import OutcomeLog
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.reading.source import Chunk, RowFormat
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.errors import SourceBrokeError, UnexpectedError
from airflow_provider_userdata.sandbox import Sandbox

Deliver = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]

VENDORS = ["thymia", "gerosense", "ptengine"]


class Odd(BaseException):
    """An error that is none of Python's."""


ENDS: list[type[BaseException]] = [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, Odd]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("raised", ENDS)
def test_a_source_that_would_end_the_process_breaks(
    vendor: str, raised: type[BaseException], deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """What came before goes out and is on record, and the error says the type and the position."""
    count, delivered = {"thymia": (46, 46), "gerosense": (2_500, 2_000), "ptengine": (250, 200)}[vendor]

    def source() -> Iterator[Any]:
        yield from rows(vendor, count)
        raise raised("geheim")

    ended = deliver(vendor, source)

    assert isinstance(ended.error, SourceBrokeError)
    assert f"the callable source raised {raised.__name__} at position {count}" in str(ended.error)
    assert ended.report.read == count
    assert ended.report.delivered == sandbox.vendors[vendor].counts.distinct == delivered


def test_a_callable_that_exits_breaks(deliver: Deliver) -> None:
    """Also before it has given anything."""

    def source() -> Any:
        sys.exit("geheim")

    ended = deliver("thymia", source)

    assert isinstance(ended.error, SourceBrokeError)
    assert str(ended.error) == "source: the callable source raised SystemExit"


@pytest.mark.parametrize("raised", [*ENDS, RuntimeError])
def test_a_source_of_any_kind_breaks_alike(raised: type[BaseException], deliver: Deliver, rows: Rows) -> None:
    """Whatever is read, what it raises is told by its type."""

    class Source:
        total = None

        def chunks(self) -> Iterator[Chunk]:
            yield Chunk(RowFormat.OBJECTS, rows("thymia", 3))
            raise raised("geheim")

    ended = deliver("thymia", Source())

    assert isinstance(ended.error, SourceBrokeError)
    assert str(ended.error) == f"source: reading raised {raised.__name__} at position 3"
    assert ended.report.delivered == 3


def test_a_generator_that_raises_while_it_is_closed_costs_nothing(
    deliver: Deliver, rows: Rows, sandbox: Sandbox
) -> None:
    """How the delivery ended matters more."""
    sandbox.thymia.script("401")

    def source() -> Iterator[Any]:
        try:
            yield from rows("thymia", 5_000)
        finally:
            sys.exit("geheim")

    ended = deliver("thymia", source())

    assert type(ended.error).__name__ == "RefusedError"


def raising(error: BaseException) -> Any:
    """Make a method that raises."""

    def method(*_: object, **__: object) -> Any:
        raise error

    return method


def odd_values(error: BaseException) -> dict[str, Any]:
    """Make values whose own methods raise."""
    names = ("__str__", "__repr__", "__eq__", "__hash__", "__len__", "__format__")
    methods = {name: raising(error) for name in names}
    zone = type("Zone", (tzinfo,), {"utcoffset": raising(error), "dst": raising(error), "tzname": raising(error)})
    return {
        "object": type("Object", (), methods)(),
        "class": type("Class", (), {"__class__": property(raising(error))})(),
        "text": type("Text", (str,), {name: raising(error) for name in ("__str__", "__repr__", "isascii", "strip")})(
            ""
        ),
        "number": type("Number", (int,), {**methods, "__int__": raising(error), "__index__": raising(error)})(5),
        "fraction": type("Fraction", (float,), {**methods, "__float__": raising(error)})(5.0),
        "list": type("List", (list,), methods)([1]),
        "dict": type("Dict", (dict,), {**methods, "items": raising(error), "keys": raising(error)})(a=1),
        "time": datetime(2024, 5, 1, tzinfo=zone()),
        "duration": type("Duration", (timedelta,), methods)(1),
    }


FIELDS: dict[str, Callable[[Any], Any]] = {
    "thymia": lambda value: {"user": {"userLabel": "u"}, "data": {"a": [value]}},
    "gerosense": lambda value: {"device_name": value, "start_date": value, "unit": value, "value": value},
    "ptengine": lambda value: {"user_id": "u", "plan": value},
}
USERS: dict[str, Callable[[Any], Any]] = {
    "thymia": lambda value: {"user": {"userLabel": value}, "data": {"a": 1}},
    "gerosense": lambda value: {"device_name": "d", "start_date": value, "unit": "count", "value": 1},
    "ptengine": lambda value: {"user_id": value},
}


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("error", [RuntimeError("geheim"), SystemExit("geheim"), Odd("geheim")], ids=repr)
@pytest.mark.parametrize("kind", odd_values(Odd()))
def test_a_value_whose_methods_raise_is_one_reject(
    vendor: str, error: BaseException, kind: str, deliver: Deliver, rows: Rows
) -> None:
    """Wherever it stands, as a value, a user's name, or the record itself, it costs its own record at most."""
    value = odd_values(error)[kind]
    odd = [FIELDS[vendor](value), USERS[vendor](value), {"odd": value} if kind == "list" else value]

    ended = deliver(vendor, [*rows(vendor, 5), *odd, *rows(vendor, 5, first=5)])

    assert ended.error is None
    assert ended.report.read == 13
    assert ended.report.delivered >= 10
    assert ended.report.held == 0


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("error", [RuntimeError("geheim"), SystemExit("geheim")], ids=repr)
def test_a_key_whose_methods_raise_is_one_reject(
    vendor: str, error: BaseException, deliver: Deliver, rows: Rows
) -> None:
    """A key is shown in paths, and compared."""
    names = ("__str__", "__repr__", "__eq__", "__hash__", "__format__")
    broken = False

    def method(self: str, *given: object) -> Any:
        if broken:
            raise error
        return str.__hash__(self)

    key = type("Key", (str,), dict.fromkeys(names, method))("geheim")
    odd = [{key: 1}, {"user_id": "u", key: []}, {"user": {"userLabel": "u"}, "data": {key: {1}}}]
    broken = True

    ended = deliver(vendor, [*rows(vendor, 5), *odd, *rows(vendor, 5, first=5)])

    assert ended.error is None
    assert (ended.report.read, ended.report.held) == (13, 0)
    assert ended.report.delivered >= 10


@pytest.mark.parametrize("vendor", ["thymia.Thymia", "gerosense.GeroSense", "ptengine.Ptengine"])
@pytest.mark.parametrize("method", ["meaning", "request"])
def test_an_error_of_our_own_making_leaves_the_report(
    vendor: str, method: str, deliver: Deliver, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should anything in the delivery itself raise what ends processes, it ends the delivery, told by its type."""
    monkeypatch.setattr(f"airflow_provider_userdata.vendors.{vendor}.{method}", raising(SystemExit("geheim")))

    ended = deliver(vendor.partition(".")[0], rows(vendor.partition(".")[0], 5))

    assert isinstance(ended.error, UnexpectedError)
    assert str(ended.error) == "SystemExit ended the delivery; what was delivered stays on record"
    assert ended.report.unknown + ended.report.held == ended.report.read == 5


def test_a_fate_that_cannot_be_written_for_a_reason_that_nobody_expects_is_unknown(
    plan: Callable[..., Plan], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts add up even where no line could be written (A5)."""
    monkeypatch.setattr(OutcomeLog, "record_delivered", raising(SystemExit("geheim")))

    ended = Delivery(plan("thymia", rows("thymia", 5), max_in_flight=1)).run()

    assert isinstance(ended.error, UnexpectedError)
    assert ended.report.unknown + ended.report.held == ended.report.read == 5
    assert ended.report.unknown >= 1
