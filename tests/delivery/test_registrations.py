"""Registrations that fail, hang, or are cut off from the samples that follow them: no sample is lost or sent twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery import runner
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending import Endpoint, Patience
from airflow_provider_userdata.delivery.sending.transport import NoAnswer, Transport
from airflow_provider_userdata.errors import RefusedError, StoppedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.vendors import Answer, Request
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import USER_PATH, GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import UserColumns
from tests.doubles import MemoryStore

STOP = StoppedError("told to")


def samples(users: str, each: int = 4) -> list[dict[str, Any]]:
    """Make samples of users whose names are letters, with what registers them."""
    person = {"device_name": "geheim", "start_date": "2024-05-01T08:00:00Z", "unit": "count/s", "sex": "Male"}
    return [{**person, "uid": user, "born": 1990, "value": n + 1} for user in users for n in range(each)]


@pytest.fixture
def direct(plan: Callable[..., Plan], sandbox: Sandbox) -> Callable[..., Plan]:
    """Plan a delivery by the direct API, which registers users."""
    vendor = GeroSenseDirect(GeroSense("steps"), UserColumns("uid", "sex", "born"))
    endpoint = Endpoint(sandbox.url, {}, login=(LOGIN, sandbox.gerosense.key))
    return lambda rows, **given: plan(vendor, rows, endpoint=endpoint, **given)


def at_registration(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, action: Callable[[], object], *, answers: bool
) -> None:
    """Do something when a registration arrives; it is entered, and may never be answered."""
    register = sandbox.gerosense.registrations.register

    def registered(*given: Any) -> Any:
        answer = register(*given)
        action()
        return answer if answers else None

    monkeypatch.setattr(sandbox.gerosense.registrations, "register", registered)


@pytest.mark.parametrize("answers", [True, False])
def test_a_stop_between_a_registration_and_the_first_sample(
    direct: Callable[..., Plan],
    settle: Callable[[Plan, Result], Result],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
) -> None:
    """Nothing is in doubt, as nothing was sent; the next attempt registers the user again, and sends each sample."""
    monkeypatch.setattr(runner, "GRACE", 60.0)
    store = MemoryStore()
    first = direct(samples("ab"), store=store, max_in_flight=1)
    delivery = Delivery(first)
    with monkeypatch.context() as changes:
        at_registration(sandbox, changes, lambda: delivery.stop(STOP), answers=answers)
        ended = settle(first, delivery.run())
    assert (ended.error, ended.report.held, ended.report.unknown) == (STOP, 8, 0)

    again = Delivery(direct(samples("ab"), store=store, attempt="2-x", max_in_flight=1)).run()

    assert (again.error, again.report.delivered, again.report.resent) == (None, 8, 0)
    assert sandbox.gerosense.counts.records == sandbox.gerosense.counts.distinct == 8
    assert sandbox.gerosense.registrations.requests == 3


def test_a_stop_waits_for_no_registration(
    direct: Callable[..., Plan],
    settle: Callable[[Plan, Result], Result],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where its answer doesn't come, what waits for it is held."""
    monkeypatch.setattr(runner, "GRACE", 0.1)
    arrived, post = threading.Event(), Transport.post

    async def hanging(transport: Transport, request: Request) -> Answer | NoAnswer:
        if request.path == USER_PATH:
            arrived.set()
            await asyncio.Event().wait()
        return await post(transport, request)

    monkeypatch.setattr(Transport, "post", hanging)
    planned = direct(samples("ab"))
    delivery = Delivery(planned)

    def stop() -> None:
        arrived.wait(30)
        delivery.stop(STOP)

    stopping = threading.Thread(target=stop)
    stopping.start()
    ended = settle(planned, delivery.run())
    stopping.join()

    assert (ended.error, ended.report.held, ended.report.unknown) == (STOP, 8, 0)


@pytest.mark.parametrize(
    ("script", "error"),
    [("500 x99", VendorDownError), ("cut x99", VendorDownError), ("404 x99", RefusedError), ("403 x99", RefusedError)],
)
def test_registrations_that_fail_end_the_run(
    direct: Callable[..., Plan],
    settle: Callable[[Plan, Result], Result],
    sandbox: Sandbox,
    script: str,
    error: type[Exception],
) -> None:
    """In the way that Airflow retries, or without a retry; all samples are held, and none is in doubt."""
    sandbox.gerosense.registrations.script(script)
    planned = direct(samples("abc"), patience=Patience(max_attempts=2, on_doubt="hold"))

    ended = settle(planned, Delivery(planned).run())

    assert isinstance(ended.error, error)
    assert (ended.report.held, ended.report.unknown, sandbox.gerosense.counts.requests) == (12, 0, 0)


def test_an_expired_token_leaves_no_doubt(
    direct: Callable[..., Plan], settle: Callable[[Plan, Result], Result], sandbox: Sandbox
) -> None:
    """A request that was refused for its token was not accepted: it may go again where nothing may be sent twice."""
    sandbox.gerosense.tokens.lasts = 3
    planned = direct(samples("abcdefgh"), patience=Patience(on_doubt="hold"), max_in_flight=1)

    ended = settle(planned, Delivery(planned).run())

    assert (ended.error, ended.report.delivered, ended.report.unknown) == (None, 32, 0)
    assert sandbox.gerosense.tokens.issued == 6
