"""An upload, from the trigger to its end, as whoever is on call sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_userdata.sandbox import SANDBOX_KEYS
from tests.ui.running import Running, wait

LATEST = 3.0
LONGEST = 180.0
COUNT, REJECTED = 270, 30
"""What the DAG delivers, and what it can't."""


@pytest.fixture
def slow_thymia(airflow: Running) -> Running:
    """Make Thymia slow, and the connection lead to it."""
    airflow.control("POST", "reset")
    airflow.control("PUT", "settings/thymia", {"latency": 0.2})
    airflow.api("DELETE", "connections/thymia_default")
    made = airflow.api(
        "POST", "connections", connection_id="thymia_default", conn_type="thymia", host=airflow.sandbox,
        password=SANDBOX_KEYS["thymia"],
    )  # fmt: skip
    assert made.ok
    return airflow


def test_from_the_trigger_to_the_end(
    slow_thymia: Running,
    open_as: Callable[..., Page],
    picture: Callable[[Page, str], None],
    measured: Callable[[str], None],
) -> None:
    """The DAG is triggered in Airflow, its task's button opens the upload, and its numbers move as the upload does.

    A task writes how far it is every five seconds, so that a page can't know more. What "within 3 seconds of the truth"
    means is: a number that comes up on the page was the vendor's own, at most 3 seconds ago.
    """
    page = open_as("admin", "/dags/live")
    run_id = _trigger(page, slow_thymia)
    page.goto(f"{slow_thymia.url}/dags/live/runs/{run_id}/tasks/upload")
    page.get_by_role("link", name="Details").click()
    button = page.get_by_role("link", name="Upload", exact=True)
    expect(button).to_be_visible(timeout=60_000)
    picture(page, "task-with-button")
    button.click()
    expect(page.get_by_test_id("state")).to_have_text("Running")
    ages = _ages(*_watch(page, slow_thymia, picture))
    measured(f"Age of each number when it came up: {', '.join(f'{age:.1f} s' for age in ages.values())}")
    assert len(ages) >= 4
    assert max(ages.values()) < LATEST
    expect(page.get_by_test_id("state")).to_have_text("Done with rejects", timeout=60_000)
    expect(page.get_by_role("table", name="Records by fate")).to_contain_text(str(COUNT))
    expect(page.get_by_role("table", name="Reasons")).to_contain_text("T6")
    assert slow_thymia.control("GET", "arrived/thymia.json")["counts"]["records"] == COUNT
    picture(page, "upload-done")


def _trigger(page: Page, airflow: Running) -> str:
    """Press Airflow's own button; return the run's id."""
    before = set(airflow.query("SELECT run_id FROM dag_run WHERE dag_id = 'live'"))
    page.get_by_role("button", name="Trigger").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Trigger").click()
    found = wait(lambda: set(airflow.query("SELECT run_id FROM dag_run WHERE dag_id = 'live'")) - before)
    return str(found.pop()[0])


def _watch(
    page: Page, airflow: Running, picture: Callable[[Page, str], None]
) -> tuple[dict[int, float], list[tuple[float, int]]]:
    """Watch until it is done: when each number came up on the page, and how many the vendor had got at which times."""
    seen: dict[int, float] = {}
    truth: list[tuple[float, int]] = []
    row = page.get_by_role("table", name="Records by fate").get_by_role("row", name=re.compile("delivered"))
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        truth.append((time.monotonic(), airflow.control("GET", "arrived/thymia.json")["counts"]["records"]))
        number = int(row.get_by_role("cell").first.inner_text().replace(",", ""))
        if number not in seen and len(seen) == 2:
            picture(page, "upload-live")
        seen.setdefault(number, time.monotonic())
        if number >= COUNT:
            return seen, truth
        page.wait_for_timeout(50)
    raise AssertionError(f"it was never done: {seen}")


def _ages(seen: dict[int, float], truth: list[tuple[float, int]]) -> dict[int, float]:
    """Return how old each number was when it came up: not of the first ones, which are from before somebody looked."""
    known = {number: at for number, at in list(seen.items())[1:] if number >= truth[0][1]}
    return {
        number: at - max(when for when, count in truth if count <= number and when <= at)
        for number, at in known.items()
    }
