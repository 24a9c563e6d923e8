"""How soon the page can be used, among as many task instances as a year leaves."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from tests.ui import uploads
from tests.ui.running import TASK_INSTANCES, Running

LONGEST = 2.0


def _noting(asked: list[str]) -> Callable[[Request], None]:
    return lambda request: asked.append(request.url)


def test_usable_within_two_seconds_of_the_click(
    airflow: Running, open_as: Callable[..., Page], named: uploads.Cast, measured: Callable[[str], None]
) -> None:
    """From the click in Airflow's menu: the rows are there, and a filter has its effect, with one request of ours.

    The bundle isn't in the browser's cache; the server has answered before, as it has for whoever is on call. The best
    of three counts: what else the machine does at the moment is not the page's.
    """
    assert airflow.query("SELECT count(*) FROM task_instance")[0][0] >= TASK_INSTANCES
    took = []
    for _ in range(3):
        page = open_as("admin", "/")
        asked: list[str] = []
        page.on("request", _noting(asked))
        expect(page.get_by_role("link", name="Dags", exact=True)).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Browse").click()
        item = page.get_by_role("menuitem", name="User data")
        item.wait_for()
        began = time.monotonic()
        item.click()
        rows = page.get_by_test_id("upload")
        rows.first.wait_for()
        page.get_by_label("State", exact=True).select_option("Failed")
        page.wait_for_function(
            "[...document.querySelectorAll('[data-testid=upload] [data-testid=state]')]"
            ".every(one => one.innerText.includes('Failed'))"
        )
        took.append(time.monotonic() - began)
        assert len([url for url in asked if "/userdata/api/" in url]) == 1
        assert rows.count() > 10
    measured(f"From the click in the menu to a filter's effect: {', '.join(f'{one:.2f} s' for one in took)}")
    assert min(took) < LONGEST
