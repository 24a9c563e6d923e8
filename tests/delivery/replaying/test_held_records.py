"""Samples that an earlier run held, and that were rejected when the next one sent them, are sent again (G4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.delivery.carry_over import CarryOverFolder
from airflow_provider_userdata.delivery.plan import Result
from airflow_provider_userdata.delivery.sending import Endpoint, Patience
from airflow_provider_userdata.errors import RefusedError
from airflow_provider_userdata.sandbox import Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN
from airflow_provider_userdata.sources import Constant, RejectsSource
from airflow_provider_userdata.vendors.gerosense import GeroSense
from airflow_provider_userdata.vendors.gerosense_direct import GeroSenseDirect
from airflow_provider_userdata.vendors.gerosense_user import UserColumns

Deliver = Callable[..., Result]
Rejects = Callable[..., RejectsSource]
RENAMED = {"device_name": "watch", "start_date": "at", "value": "n", "unit": Constant("count")}
OF_USERS = {"user_id": "who", "biological_sex": "sex", "year_of_birth": "born"}
NAMED = UserColumns("user_id", "biological_sex", "year_of_birth")
STEPS = GeroSense("steps")
KINDS = {
    "one user, renamed": (STEPS, RENAMED),
    "users, renamed": (GeroSenseDirect(STEPS, NAMED), {**RENAMED, **OF_USERS}),
    "users, with columns of their own": (GeroSenseDirect(STEPS, UserColumns("who", "sex", "born")), None),
}
"""The vendor's contract, and `fields`."""


def sample(kind: str, number: int) -> dict[str, Any]:
    """Make a sample as its source has it."""
    at, person = f"2024-05-01T08:00:0{number}Z", {"who": "u", "sex": "Male", "born": 1990}
    if "renamed" in kind:
        return {"watch": "geheim", "at": at, "n": number, **(person if "users" in kind else {})}
    return {"device_name": "geheim", "start_date": at, "value": number, "unit": "count", **person}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Say whose samples they are, and where their fields come from."""
    return str(request.param)


@pytest.fixture
def given(kind: str, sandbox: Sandbox) -> dict[str, Any]:
    """Give what a plan takes."""
    given: dict[str, Any] = {"fields": KINDS[kind][1]}
    if "users" in kind:
        given["endpoint"] = Endpoint(sandbox.url, {}, login=(LOGIN, sandbox.gerosense.key))
    return given


@pytest.fixture
def refused(deliver: Deliver, kind: str, given: dict[str, Any], sandbox: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """Hold two samples, and have the next run send them with one more, and with an answer: ``refused("422")``."""

    def run(answer: str, **more: Any) -> Result:
        held = [CarryOverFolder(tmp_path / "held", "steps", "us", name) for name in ("monday", "tuesday")]
        first = [sample(kind, number) for number in (1, 2)]
        assert deliver(KINDS[kind][0], first, held=held[0], output=tmp_path / "monday", **given).report.held == 2
        sandbox.gerosense.script(answer)
        return deliver(KINDS[kind][0], [sample(kind, 3)], held=held[1], **given, **more)

    return run


def test_they_are_sent_with_the_same_fields(
    refused: Callable[..., Result], again: Deliver, rejects: Rejects, kind: str, given: Any, sandbox: Sandbox
) -> None:
    """They have the vendor's field names, and the others their source's: a replay takes each as it is."""
    assert refused("422").report.rejected == 3

    sent = again(KINDS[kind][0], rejects(), **given)

    assert (sent.report.delivered, sent.report.rejected) == (3, 0)
    assert [one["value"] for one in sandbox.gerosense.arrived()] == [1, 2, 3]
    assert again(KINDS[kind][0], rejects(), run="b", **given).report.read == 0


def test_a_function_may_correct_them(
    refused: Callable[..., Result], again: Deliver, rejects: Rejects, kind: str, given: Any, tmp_path: Path
) -> None:
    """Its second argument says which have the vendor's field names; rejected again, they still do."""
    refused("422")
    seen: list[bool] = []

    def fix(record: Any, line: Any) -> Any:
        seen.append(line.carried_in)
        name = "value" if line.carried_in or "renamed" not in kind else "n"
        return {**record, name: -7}

    def right(record: Any, line: Any) -> Any:
        name = "value" if line.carried_in or "renamed" not in kind else "n"
        return {**record, name: 7}

    assert again(KINDS[kind][0], rejects(fix=fix), **given).report.rejected == 3
    sent = again(KINDS[kind][0], RejectsSource(tmp_path / "again", fix=right), run="b", **given)

    assert seen == [True, True, False]
    assert (sent.report.delivered, sent.report.rejected) == (3, 0)


def test_what_the_next_run_sends_is_left_out(
    refused: Callable[..., Result], again: Deliver, rejects: Rejects, kind: str, given: Any
) -> None:
    """Where the second run ends before they are sent, they go back to the held ones: a replay would send them twice."""
    ended = refused("404", patience=Patience(max_attempts=1))

    assert isinstance(ended.error, RefusedError)
    assert ended.report.held == 3
    assert again(KINDS[kind][0], rejects(), **given).report.read == 1
