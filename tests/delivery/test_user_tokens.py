"""A proxy's token for each user, from the author's function: whatever it does, each sample reaches its own user."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from airflow_provider_userdata.delivery import runner
from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.delivery.sending import Endpoint, UnusableTokenError, follow_ups
from airflow_provider_userdata.errors import RefusedError, StoppedError, UnexpectedError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_user import UserColumns
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers

Lines = Callable[[str | None], list[dict[str, Any]]]
Proxied = Callable[..., Plan]


def samples(users: list[str], each: int) -> list[dict[str, Any]]:
    """Make samples of users, one user after the other."""
    return [
        {"uid": user, "device_name": "geheim", "start_date": "2024-05-01T08:00:00Z", "unit": "count/s", "value": n + 1}
        for user in users
        for n in range(each)
    ]


def token_of(user: str) -> str:
    """Return the token by which the sandbox knows a user."""
    return f"sandbox-gerosense-token-of-{user.encode().hex()}"


@pytest.fixture
def proxied(plan: Callable[..., Plan], sandbox: Sandbox) -> Proxied:
    """Plan a delivery by the proxy: ``proxied(rows, function, **what_plan_takes)``."""

    def planned(rows: Any, token: Callable[[str], str] = token_of, *, calculates: bool = False, **given: Any) -> Plan:
        def headers(user: str) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {token(user)}"}

        vendor = GeroSenseUsers(GeroSense("steps", calculates=calculates), UserColumns("uid"))
        return plan(vendor, rows, endpoint=Endpoint(sandbox.url, {}), user_headers=headers, **given)

    return planned


@pytest.fixture
def deliver(proxied: Proxied, settle: Callable[[Plan, Result], Result]) -> Callable[..., Result]:
    """Deliver so, and check the accounts."""

    def delivered(*args: Any, **given: Any) -> Result:
        planned = proxied(*args, **given)
        return settle(planned, Delivery(planned).run())

    return delivered


def known(sandbox: Sandbox, users: list[str]) -> None:
    """Let the proxy know users by their tokens."""
    sandbox.gerosense.user_tokens = {token_of(user): user for user in users}


@pytest.mark.parametrize("status", [401, 403])
def test_a_computation_that_is_refused_costs_no_samples(
    deliver: Callable[..., Result], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """With many users it is asked for before the end: a token may be good for samples, and not for that."""
    monkeypatch.setattr(follow_ups, "MOST_USERS", 2)
    known(sandbox, ["a", "b", "c"])
    barred, refused = sandbox.gerosense.barred, sandbox.gerosense.error(status, "no")
    monkeypatch.setattr(
        sandbox.gerosense, "barred", lambda asked: refused if "calculate" in asked.path else barred(asked)
    )
    rows = samples(["a", "b", "c", "a"], 1003)

    ended = deliver(rows, calculates=True, max_in_flight=1)

    assert (ended.error, ended.report.delivered, ended.report.rejected) == (None, len(rows), 0)


def test_one_users_requests_share_a_token(deliver: Callable[..., Result], sandbox: Sandbox) -> None:
    """A function that makes a token, which ends the one before, is called once, and once more when it has expired."""
    given: list[str] = []

    def new_token(user: str) -> str:
        given.append(f"{token_of(user)}-{len(given)}")
        sandbox.gerosense.user_tokens = {given[-1]: user}
        if len(given) == 1:
            sandbox.gerosense.user_tokens = {}  # it expires before its first use
        return given[-1]

    sandbox.gerosense.latency = 0.02

    ended = deliver(samples(["a"], 16_000), new_token)

    assert (ended.error, ended.report.delivered) == (None, 16_000)
    assert len(given) == 2


def test_a_token_that_two_users_have_is_used_for_one(
    deliver: Callable[..., Result], sandbox: Sandbox, lines: Lines
) -> None:
    """The proxy would take the two for one person: the other's samples are rejected, and say why."""
    known(sandbox, ["a", "b"])

    ended = deliver(samples(["a", "b", "c"], 4), lambda user: token_of("b" if user == "c" else user), max_in_flight=1)

    assert (ended.error, ended.report.delivered, ended.report.reasons) == (None, 8, {"A1": 4})
    assert {(line["record"]["uid"], line["reason"]) for line in lines(ended.report.rejects)} == {
        (
            "c",
            "is of a user whose token can't be used: another user has the same one, and a token stands for one person",
        )
    }
    assert {one["user_id"] for one in sandbox.gerosense.arrived()} == {"a", "b"}


def test_a_function_that_gives_all_the_same_token_stops_the_run(
    deliver: Callable[..., Result], sandbox: Sandbox
) -> None:
    """One user's samples have gone with it; nobody else's do, and the run doesn't reject them all."""
    users = [f"u{number}" for number in range(80)]
    known(sandbox, ["u0"])

    ended = deliver(samples(users, 4), lambda _: token_of("u0"), max_in_flight=1)

    assert isinstance(ended.error, RefusedError)
    assert (ended.report.delivered, ended.report.rejected, ended.report.held) == (4, 200, 116)


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
def test_what_would_end_the_process_ends_the_run(
    deliver: Callable[..., Result], sandbox: Sandbox, error: type[BaseException]
) -> None:
    """In the way that Airflow retries: nothing was sent, so nothing is in doubt."""

    def broken(_: str) -> str:
        raise error

    ended = deliver(samples(["a", "b"], 4), broken)

    assert isinstance(ended.error, UnexpectedError)
    assert (ended.report.held, ended.report.unknown) == (8, 0)


def test_why_a_token_cannot_be_used_is_said(deliver: Callable[..., Result], sandbox: Sandbox, lines: Lines) -> None:
    """Of an error that is meant for it; any other `LookupError` may quote a record."""
    known(sandbox, ["a"])

    def given(user: str) -> str:
        if user == "b":
            raise UnusableTokenError("it contains quotes around it")
        if user == "c":
            raise KeyError("geheim")
        return token_of(user)

    ended = deliver(samples(["a", "b", "c"], 3), given)

    assert ended.report.delivered == 3
    assert {line["reason"] for line in lines(ended.report.rejects)} == {
        "is of a user whose token can't be used: it contains quotes around it",
        "is of a user without a token: KeyError",
    }


@pytest.mark.parametrize("supervised", [False, True])
def test_a_stop_waits_for_no_token(
    proxied: Proxied,
    settle: Callable[[Plan, Result], Result],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    supervised: bool,
) -> None:
    """Where the function hangs, what waits for it is held: it was not sent."""
    monkeypatch.setattr(runner, "GRACE", 60.0)
    asked, let_go = threading.Event(), threading.Event()

    def hanging(_: str) -> str:
        asked.set()
        let_go.wait(30)
        return ""

    class Supervised:
        def missed(self, _: float) -> None:
            return None

    planned = proxied(samples(["a", "b"], 4), hanging, supervisor=Supervised() if supervised else None)
    delivery = Delivery(planned)

    def stop() -> None:
        asked.wait(30)
        delivery.stop(StoppedError("told to"))

    stopping = threading.Thread(target=stop)
    stopping.start()

    ended = settle(planned, delivery.run())

    let_go.set()
    stopping.join()
    assert isinstance(ended.error, StoppedError)
    assert (ended.report.held, ended.report.unknown) == (8, 0)


def test_checkpoints_do_not_wait_for_tokens(proxied: Proxied, sandbox: Sandbox) -> None:
    """A supervised task whose function is slow would count as dead, and stop itself."""
    names: list[str] = []

    class Store:
        max_tries = 0

        def load(self) -> None:
            return None

        def save(self, _: object) -> None:
            names.append(threading.current_thread().name)

    class Supervised:
        def missed(self, _: float) -> None:
            return None

    def token(user: str) -> str:
        names.append(threading.current_thread().name)
        return token_of(user)

    known(sandbox, ["a"])

    assert Delivery(proxied(samples(["a"], 4), token, supervisor=Supervised(), store=Store())).run().error is None

    assert set(names) == {"userdata-airflow", "userdata-tokens"}


ODD = ["a/b?c=d&e#f", "ä 日本 🦀", "x" * 300, "'; --", '"quoted"', "\\", "a\tb", " 17", "17 ", "017"]


def test_odd_ids_are_users_like_others(deliver: Callable[..., Result], sandbox: Sandbox, lines: Lines) -> None:
    """As they are, to the last blank; a whole number is the user that its digits name."""
    users: list[Any] = [*ODD, 17, "17"]
    known(sandbox, [*ODD, "17"])

    ended = deliver(samples(users, 3))

    assert ended.error is None
    wanted = dict.fromkeys(ODD, 3) | {"17": 6}
    arrived = [one["user_id"] for one in sandbox.gerosense.arrived()]
    assert {user: arrived.count(user) for user in arrived} == wanted
    assert {line["user_id"] for line in lines(ended.report.receipts)} == wanted.keys()
