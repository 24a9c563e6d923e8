"""Many users' samples, mixed in one source, reach GeroSense user by user (G14)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over.folder import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending.sender import Patience
from airflow_provider_userdata.delivery.sending.transport import Endpoint
from airflow_provider_userdata.errors import RefusedError, UnexpectedError, VendorDownError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.vendors import gerosense_direct
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import UserColumns
from airflow_provider_userdata.vendors.gerosense_users import GeroSenseUsers

Deliver = Callable[..., Result]
Lines = Callable[[str | None], list[dict[str, Any]]]
REGISTERED = UserColumns("uid", "sex", "born")


def sample(user: Any, number: int, **more: Any) -> dict[str, Any]:
    """Make a sample of a user, of which no other has the number."""
    return {
        "uid": user,
        "device_name": "geheim",
        "start_date": "2024-05-01T08:00:00Z",
        "unit": "count/s",
        "value": number + 1,
        **more,
    }


def mixed(counts: Mapping[str, int], **more: Any) -> list[dict[str, Any]]:
    """Make samples of several users, in turns."""
    left = dict(counts)
    rows: list[dict[str, Any]] = []
    while any(left.values()):
        for user in [user for user, count in left.items() if count]:
            rows.append(sample(user, len(rows), **more))
            left[user] -= 1
    return rows


def requests_of(sandbox: Sandbox) -> list[tuple[str, list[int]]]:
    """Give each accepted request's user and values, and see that no request mixes users, nor has too few or many."""
    found = []
    for request in sandbox.gerosense.requests:
        if request.accepted:
            body = json.loads(request.body)
            assert 3 <= len(body["data"]) <= 1000
            found.append((body.get("user_id", ""), [one["value"] for one in body["data"]]))
    return found


def by_user(sandbox: Sandbox) -> dict[str, list[int]]:
    """Give each user's accepted values, in order of arrival."""
    found: dict[str, list[int]] = defaultdict(list)
    for user, values in requests_of(sandbox):
        found[user] += values
    return dict(found)


def expected(rows: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Give each user's values, in the source's order."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[str(row["uid"])].append(row["value"])
    return dict(found)


@pytest.fixture
def direct(deliver: Deliver, sandbox: Sandbox) -> Deliver:
    """Deliver by the direct API: ``direct(rows, **what_plan_takes)``."""

    def delivered(source: Any, *, columns: UserColumns | None = None, calculates: bool = False, **given: Any) -> Result:
        samples = GeroSense("steps", calculates=calculates)
        given.setdefault("endpoint", Endpoint(sandbox.url, {}, login=(LOGIN, sandbox.gerosense.key)))
        return deliver(GeroSenseDirect(samples, columns or UserColumns("uid")), source, **given)

    return delivered


@pytest.fixture
def proxied(deliver: Deliver, sandbox: Sandbox) -> Deliver:
    """Deliver by the proxy, with a token for each user."""

    def delivered(source: Any, tokens: Callable[[str], str] | None = None, **given: Any) -> Result:
        def headers(user: str) -> Mapping[str, str]:
            return {"Authorization": f"Bearer {(tokens or token_of)(user)}"}

        given.setdefault("endpoint", Endpoint(sandbox.url, {}))
        vendor = GeroSenseUsers(GeroSense("steps"), UserColumns("uid"))
        return deliver(vendor, source, user_headers=headers, **given)

    return delivered


def token_of(user: str) -> str:
    """Give a user's token, as the tests below set it."""
    return f"sandbox-gerosense-token-of-{user}"


TEN = {f"u{number}": 3 + 211 * number for number in range(10)}


def test_ten_users_reach_the_direct_api(direct: Deliver, sandbox: Sandbox, lines: Lines) -> None:
    """Mixed in one source: no request mixes them, each user's samples come in order, all with one token."""
    rows = mixed(TEN)

    ended = direct(rows, max_in_flight=1)

    assert ended.error is None
    assert by_user(sandbox) == expected(rows)
    assert (ended.report.delivered, sandbox.gerosense.tokens.issued) == (len(rows), 1)
    assert ended.report.requests == sum(-(-count // 1000) for count in TEN.values())
    assert {line["user_id"] for line in lines(ended.report.receipts)} == TEN.keys()


def test_a_token_that_expires_is_renewed_once_for_all(direct: Deliver, sandbox: Sandbox) -> None:
    """Of sixteen requests that it fails for, one logs in again; no sample is lost or sent twice."""
    sandbox.gerosense.tokens.lasts = 40
    rows = mixed({f"u{number}": 5 for number in range(100)})

    ended = direct(rows)

    assert ended.error is None
    assert by_user(sandbox) == expected(rows)
    assert sandbox.gerosense.counts.records == len(rows)
    assert sandbox.gerosense.tokens.issued == 3
    assert ended.report.resent == 0


@pytest.mark.parametrize("script", ["403 x99", "401 x99"])
def test_a_new_token_that_is_refused_stops_the_run(direct: Deliver, sandbox: Sandbox, script: str) -> None:
    """One new token first, then nothing more is sent (A1)."""
    sandbox.gerosense.script(script)

    ended = direct(mixed(TEN), max_in_flight=1)

    assert isinstance(ended.error, RefusedError)
    assert (sandbox.gerosense.counts.requests, sandbox.gerosense.tokens.issued) == (2, 2)
    assert ended.report.held == ended.report.read > 0


def test_a_wrong_password_stops_the_run_before_the_first_sample(direct: Deliver, sandbox: Sandbox) -> None:
    """The message says that it is the login, without name and password."""
    endpoint = Endpoint(sandbox.url, {}, login=("geheim", "geheim"), connection="gero")

    ended = direct(mixed(TEN), endpoint=endpoint)

    assert isinstance(ended.error, RefusedError)
    assert "401 to the login" in str(ended.error)
    assert "'gero'" in str(ended.error)
    assert (sandbox.gerosense.counts.requests, sandbox.gerosense.tokens.asked) == (0, 1)


def test_a_login_that_is_down_is_tried_again(
    direct: Deliver, sandbox: Sandbox, later: Callable[[float, Callable[[], None]], None], tmp_path: Path
) -> None:
    """And ends the run in the way that Airflow retries, if it stays down; no sample is in doubt."""
    sandbox.gerosense.maintenance = True
    later(5, lambda: setattr(sandbox.gerosense, "maintenance", False))

    assert direct(mixed({"u": 4})).report.delivered == 4

    sandbox.gerosense.maintenance = True
    asked, rows = sandbox.gerosense.tokens.asked, mixed({f"u{number}": 4 for number in range(40)})
    ended = direct(rows, patience=Patience(max_attempts=2), output=tmp_path / "again")
    assert isinstance(ended.error, VendorDownError)
    assert (ended.report.held, ended.report.unknown) == (160, 0)
    assert sandbox.gerosense.tokens.asked - asked <= 4  # of sixteen requests that wait for it


def test_few_samples_of_a_user_wait_and_go_first(
    direct: Deliver, sandbox: Sandbox, tmp_path: Path, lines: Lines
) -> None:
    """Each user is counted alone; in the next run the held ones join that user's new ones, before these."""

    def held(run: str) -> CarryOverFolder:
        return CarryOverFolder(tmp_path / "held", "steps-of-users", "us", run)

    first = mixed({"a": 2, "b": 5, "c": 1, "d": 2})
    ended = direct(first, held=held("monday"), output=tmp_path / "monday")
    assert (ended.report.delivered, ended.report.held) == (5, 5)
    assert Counter(line["reason"][:25] for line in lines(ended.report.rejects)) == {
        "is one of 2 of its user, ": 4,
        "is one of 1 of its user, ": 1,
    }
    assert ended.report.reasons == {"G4": 5}

    second = [sample("a", 100), sample("c", 101), sample("c", 102), sample("e", 103)]
    ended = direct(second, held=held("tuesday"), output=tmp_path / "tuesday", max_in_flight=1)
    assert (ended.report.read, ended.report.delivered, ended.report.held) == (9, 6, 3)
    arrived, wanted = by_user(sandbox), expected(first + second)
    assert {user: arrived[user] for user in "abc"} == {user: wanted[user] for user in "abc"}

    ended = direct([sample("d", 104), sample("e", 105)], held=held("wednesday"), output=tmp_path / "wednesday")
    assert (ended.report.delivered, ended.report.held) == (3, 2)


def test_values_that_name_no_user_are_rejected(direct: Deliver, sandbox: Sandbox, lines: Lines) -> None:
    """A text that isn't blank, an integer or a UUID names one; of all others the record stands with the rule (G14)."""
    odd: list[Any] = [" ", "", None, True, 1.5, float("nan"), [], {"a": 1}]
    rows = [sample(user, number) for number, user in enumerate([*odd, 17, 17, 17])]
    rows.append({key: value for key, value in sample("x", 99).items() if key != "uid"})

    ended = direct(rows)

    assert by_user(sandbox) == {"17": [9, 10, 11]}
    assert ended.report.reasons == {"G14": len(odd) + 1}
    assert {line["path"] for line in lines(ended.report.rejects)} == {"$.user_id"}


def test_users_are_registered_once_before_their_first_sample(direct: Deliver, sandbox: Sandbox) -> None:
    """Also where a user's batches go at the same time; nothing of it is sent with the samples."""
    sandbox.gerosense.registered_only = True
    rows = mixed({f"u{number}": 1500 for number in range(5)}, sex="Female", born=1990)

    ended = direct(rows, columns=REGISTERED)

    assert ended.error is None
    assert sandbox.gerosense.registrations.requests == 5
    assert sandbox.gerosense.registrations.users["u0"] == {
        "id": "u0",
        "biological_sex": "Female",
        "year_of_birth": 1990,
    }
    assert ended.report.delivered == len(rows)


@pytest.mark.parametrize("answer", ["400", "409", "200"])
def test_a_user_who_is_registered_already_is_no_error(direct: Deliver, sandbox: Sandbox, answer: str) -> None:
    """GeroSense answers 400 then; what is unclear lets the samples go, and their own answer decides."""
    sandbox.gerosense.registrations.script(answer)

    assert direct(mixed({"u": 5}, sex="Male", born=1950), columns=REGISTERED).report.delivered == 5


def test_a_refused_registration_rejects_that_users_samples_alone(
    direct: Deliver, sandbox: Sandbox, lines: Lines
) -> None:
    """With the rule G14, whole; nothing of that user is sent, and others go on."""
    sandbox.gerosense.registrations.script("422")
    rows = mixed({"a": 1500, "b": 5}, sex="Male", born=1950)

    ended = direct(rows, columns=REGISTERED, max_in_flight=1)

    refused = {line["record"]["uid"] for line in lines(ended.report.rejects)}
    (other,) = {"a", "b"} - refused
    assert len(refused) == 1
    assert by_user(sandbox) == {other: expected(rows)[other]}
    assert ended.report.reasons == {"G14": len(rows) - len(expected(rows)[other])}


@pytest.mark.parametrize(
    "wrong", [{"sex": "female"}, {"sex": None}, {"born": "1990"}, {"born": 90}, {"born": True}, {"born": 1990.0}]
)
def test_what_can_register_nobody_is_rejected(direct: Deliver, sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    """Before anything is sent."""
    rows = [sample("u", number, **{"sex": "Male", "born": 1990, **wrong}) for number in range(3)]

    ended = direct(rows, columns=REGISTERED)

    assert ended.report.reasons == {"G14": 3}
    assert sandbox.gerosense.registrations.requests == sandbox.gerosense.counts.requests == 0


def test_a_registration_that_fails_for_now_is_tried_again(direct: Deliver, sandbox: Sandbox) -> None:
    """Also where nothing may be sent twice: a registration may."""
    sandbox.gerosense.registrations.script("503", "cut after accepting", "429 retry-after=1", "500")

    ended = direct(mixed({"u": 5}, sex="Male", born=1950), columns=REGISTERED, patience=Patience(on_doubt="hold"))

    assert (ended.report.delivered, ended.report.resent) == (5, 0)


def test_the_computation_is_asked_for_once_a_user(direct: Deliver, sandbox: Sandbox) -> None:
    """After the delivery, for those of whom samples were delivered."""
    direct(mixed({"a": 2500, "b": 3, "c": 2}), calculates=True)

    asked = sorted(one["user_id"] for one in sandbox.gerosense.calculated)
    assert asked == ["a", "b"]
    assert {one["model_type"] for one in sandbox.gerosense.calculated} == {"steps"}


def test_ten_users_reach_the_proxy_each_with_its_token(proxied: Deliver, sandbox: Sandbox) -> None:
    """The proxy knows whose samples they are by the token alone."""
    sandbox.gerosense.user_tokens = {token_of(user): user for user in TEN}
    rows = mixed(TEN)

    ended = proxied(rows, max_in_flight=1)

    assert ended.error is None
    arrived: dict[str, list[int]] = defaultdict(list)
    for one in sandbox.gerosense.arrived():
        arrived[one["user_id"]].append(one["value"])
    assert arrived == expected(rows)


def test_a_users_refused_token_rejects_that_users_samples_alone(
    proxied: Deliver, sandbox: Sandbox, lines: Lines
) -> None:
    """One request is sent with it, and one more only if there is another token by now; all others' samples arrive."""
    sandbox.gerosense.user_tokens = {token_of(user): user for user in TEN if user != "u7"}
    rows = mixed(TEN)

    ended = proxied(rows)

    assert ended.error is None
    assert ended.report.delivered == len(rows) - TEN["u7"]
    rejected = lines(ended.report.rejects)
    assert {line["record"]["uid"] for line in rejected} == {"u7"}
    assert {(line["rule"], line["fate"]) for line in rejected} == {("A1", "rejected")}
    assert all("this user's own" in line["reason"] for line in rejected)
    assert sandbox.gerosense.counts.by_status[401] <= 2


def test_a_token_that_changed_meanwhile_is_asked_for_once_more(proxied: Deliver, sandbox: Sandbox) -> None:
    """A1: one new token first."""
    sandbox.gerosense.user_tokens = {"sandbox-gerosense-token-new": "u"}
    given = iter(["sandbox-gerosense-token-old", "sandbox-gerosense-token-new"])

    ended = proxied(mixed({"u": 5}), lambda _: next(given))

    assert (ended.error, ended.report.delivered, ended.report.requests) == (None, 5, 2)


def test_users_without_a_token_are_rejected_alone(proxied: Deliver, sandbox: Sandbox, lines: Lines) -> None:
    """A `LookupError` means that there is none; nothing is sent for that user."""
    sandbox.gerosense.user_tokens = {token_of("a"): "a"}
    tokens = {"a": token_of("a")}

    ended = proxied(mixed({"a": 4, "b": 4}), tokens.__getitem__)

    assert (ended.report.delivered, ended.report.reasons) == (4, {"A1": 4})
    assert sandbox.gerosense.counts.requests == 1


def test_what_breaks_in_the_authors_function_ends_the_run(proxied: Deliver, sandbox: Sandbox) -> None:
    """In the way that Airflow retries, and with nothing of it in the message; nothing was sent, and all is held."""

    def broken(_: str) -> str:
        raise ConnectionError("geheim")

    ended = proxied(mixed({"a": 4, "b": 4}), broken)

    assert isinstance(ended.error, UnexpectedError)
    assert (ended.report.held, ended.report.unknown) == (8, 0)
    assert sandbox.gerosense.counts.requests == 0


def test_a_proxy_that_refuses_every_token_stops_the_run(proxied: Deliver, sandbox: Sandbox) -> None:
    """A source is not drained into rejects: where no user's records are taken, the fault is no user's."""
    rows = mixed({f"u{number}": 5 for number in range(80)})

    ended = proxied(rows, max_in_flight=1)

    assert isinstance(ended.error, RefusedError)
    assert "took no user's records" in str(ended.error)
    assert ended.report.rejected == 50 * 5
    assert ended.report.held == len(rows) - 50 * 5


def test_users_whose_tokens_are_refused_one_after_the_other_stop_nobody(proxied: Deliver, sandbox: Sandbox) -> None:
    """However many samples these have."""
    sandbox.gerosense.user_tokens = {token_of("z"): "z"}
    rows = [sample(user, number) for user in ("a", "b", "c", "d") for number in range(3500)]
    rows += [sample("z", number) for number in range(5)]

    ended = proxied(rows, max_in_flight=1)

    assert ended.error is None
    assert (ended.report.delivered, ended.report.rejected) == (5, 14_000)
    assert sandbox.gerosense.counts.by_status == {200: 1, 401: 4}


def test_the_proxy_is_asked_for_a_computation_with_the_users_token(
    deliver: Deliver, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """And where it isn't accepted, the run is as green as without it."""
    sandbox.gerosense.user_tokens = {token_of(user): user for user in "ab"}
    vendor = GeroSenseUsers(GeroSense("bpm", calculates=True), UserColumns("uid"))
    given = {
        "endpoint": Endpoint(sandbox.url, {}),
        "user_headers": lambda user: {"Authorization": f"Bearer {token_of(user)}"},
    }

    ended = deliver(vendor, mixed({"a": 4, "b": 4}), **given)

    assert (ended.error, ended.report.requests) == (None, 2)
    assert sorted(sandbox.gerosense.calculated, key=str) == [
        {"user_id": "a", "model_type": "bpm"},
        {"user_id": "b", "model_type": "bpm"},
    ]
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_computation_that_fails_is_only_logged(
    direct: Deliver, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its address may be another one by now: nothing more is asked for, and nothing is lost."""
    monkeypatch.setattr(gerosense_direct, "CALCULATE_PATH", "/api/v2.2/nothing")

    ended = direct(mixed({f"u{number}": 4 for number in range(150)}), calculates=True)

    assert (ended.error, ended.report.delivered) == (None, 600)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning == (
        "gerosense: 100 of 150 requests after the delivery failed, the first with answer 404; no record depends on them"
    )
