"""The page *User data*: rows, filters and plots, and the ways between it, one upload and Airflow's own pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import Locator, Page, Route, expect

from tests.ui import uploads
from tests.ui.running import Running

PAGE = "/plugin/userdata"
FRESH = "window.untouched === true"
"""True as long as nothing has loaded Airflow anew since `_touch`."""


def _touch(page: Page) -> None:
    page.evaluate("window.untouched = true")


def _row(page: Page, dag_id: str, run_id: str) -> Locator:
    link = f"a[href*='dag_id={dag_id}&run_id={run_id}&']"
    return page.get_by_test_id("upload").filter(has=page.locator(link))


def test_rows_say_how_it_went(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """Each kind of upload has its state in words, and its numbers by fate; 50 are there at first."""
    page = open_as("admin", PAGE)
    states = (
        (named.running, "Running"),
        (named.silent, "No sign of life since"),
        (named.waiting, "Waiting"),
        (named.green, "Done"),
        (named.with_rejects, "Done with rejects"),
        (named.held, "Done, some wait"),
        (named.red, "Failed"),
        (named.retrying, "Will retry"),
    )
    rows = page.get_by_test_id("upload")
    expect(rows).to_have_count(50)
    for upload, state in states:
        row = _row(page, upload.dag_id, upload.run_id)
        expect(row.get_by_test_id("state")).to_contain_text(state)
    row = _row(page, named.with_rejects.dag_id, named.with_rejects.run_id)
    for words in ("49,000 delivered", "700 invalid", "250 refused", "50 unknown"):
        expect(row).to_contain_text(words)
    picture(page, "page-light")
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(100)


def test_garbage_is_left_out(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """What somebody else has written under the key is no row."""
    page = open_as("admin", f"{PAGE}?dag={named.garbage.dag_id}")
    expect(page.get_by_test_id("upload").first).to_be_visible()
    expect(page.locator("a[href*='run_id=garbage']")).to_have_count(0)


def test_filters_stay_in_the_address(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """A filter changes rows, plots and the address; the address alone brings them back, and so does going back."""
    page = open_as("admin", PAGE)
    count, plots = page.get_by_test_id("count"), page.get_by_test_id("plot")
    expect(count).to_contain_text(re.compile("^49[89] uploads"))  # with or without the live one
    all_records = plots.first.inner_text()
    page.get_by_label("Vendor").select_option("GeroSense")
    page.get_by_label("State", exact=True).select_option("Waiting")
    expect(count).to_have_text(re.compile("^1 upload,"))
    expect(page.get_by_test_id("upload")).to_have_count(1)
    expect(page).to_have_url(re.compile("vendor=gerosense.*state=waiting"))
    assert plots.first.inner_text() != all_records
    picture(page, "page-filtered")
    address = page.url
    page.reload()
    expect(count).to_have_text(re.compile("^1 upload,"))
    page.go_back()
    expect(count).not_to_have_text(re.compile("^1 upload,"))
    expect(page.get_by_label("Vendor")).to_have_value("gerosense")
    page.go_forward()
    expect(page).to_have_url(address)
    page.get_by_label("State", exact=True).select_option("All states")
    page.get_by_label("Time").select_option("Last day")
    page.get_by_label("DAG", exact=True).select_option("gerosense_daily_3")
    expect(page).to_have_url(re.compile("days=1"))
    expect(page.get_by_test_id("upload").first).to_contain_text("gerosense_daily_3")


def test_both_plots_tell_the_truth(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """Their totals are the sums of what was written; a thousand rejects beside millions are seen in the second."""
    dag_id = "thymia_daily_2"
    shown = [
        one.shown
        for one in uploads.uploads(datetime.now(UTC))
        if one.dag_id == dag_id and one.run_id != named.garbage.run_id
    ]
    sums = {fate: sum(one[fate] for one in shown) for fate in ("delivered", "invalid", "refused", "unknown")}
    page = open_as("admin", f"{PAGE}?dag={dag_id}")
    plots = page.get_by_test_id("plot")
    expect(plots).to_have_count(2)
    records, share = plots.all()
    for fate, total in sums.items():
        expect(records).to_contain_text(f"{fate} {total:,}", use_inner_text=False)
    tried = sum(sums.values())
    expect(share).to_contain_text(f"refused {100 * sums['refused'] / tried:.2f}%", use_inner_text=False)
    for plot in (records, share):
        assert plot.locator("svg .recharts-bar-rectangle path").count() >= 3
        heights = plot.locator("svg .recharts-bar-rectangle path").evaluate_all(
            "all => all.map(p => p.getBBox().height)"
        )
        assert max(heights) > 20


def test_to_an_upload_and_back_without_a_reload(
    open_as: Callable[..., Page], named: uploads.Cast, airflow: Running
) -> None:
    """Page, upload, page, upload, Airflow's task, and back: one document all the way, and the filter still there."""
    upload = named.with_rejects
    page = open_as("admin", f"{PAGE}?vendor=thymia")
    _touch(page)
    link = page.locator(f"a[href*='dag_id={upload.dag_id}&run_id={upload.run_id}&']")
    for _ in range(2):
        link.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Thymia")
        expect(page).to_have_title(re.compile(f"^Thymia · .* · {upload.dag_id} · upload - Airflow$"))
        expect(page.get_by_text("Why records were not delivered")).to_be_visible()
        page.get_by_role("link", name="All uploads").click()
        expect(page.get_by_role("heading", name="User data")).to_be_visible()
        expect(page).to_have_title("User data - Airflow")
        expect(page.get_by_label("Vendor")).to_have_value("thymia")
    link.click()
    page.get_by_role("link", name="upload", exact=True).click()
    expect(page).to_have_url(f"{airflow.url}/dags/{upload.dag_id}/runs/{upload.run_id}/tasks/{upload.task_id}")
    expect(page.get_by_text("upload").first).to_be_visible()
    expect(page).not_to_have_title(re.compile("Thymia"))
    assert page.evaluate(FRESH)
    page.go_back()
    expect(page.get_by_text("Why records were not delivered")).to_be_visible()
    assert page.evaluate(FRESH)


def test_an_empty_page_says_how_to_begin(open_as: Callable[..., Page], picture: Callable[[Page, str], None]) -> None:
    """Whoever is new here gets a way to a first upload."""
    page = open_as("admin", "/")
    page.route(
        "**/userdata/api/uploads?*", lambda route: route.fulfill(json={"uploads": [], "dags": [], "more": False})
    )
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("menuitem", name="User data").click()
    expect(page.get_by_text("Nothing was uploaded in the last 30 days")).to_be_visible()
    first = page.get_by_role("region", name="Your first upload")
    for words in ("userdata check", "userdata sandbox", "PtengineProfilesOperator(task_id"):
        expect(first.locator("code").filter(has_text=words)).to_be_visible()
    picture(page, "page-empty")
    first.get_by_role("link", name="connection").click()
    expect(page.get_by_role("button", name="Add Connection")).to_be_visible()


def test_a_dag_whose_uploads_others_crowd_out(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """Where the newest uploads are all of one DAG, another DAG is still to choose, and its uploads are fetched."""

    def crowd(route: Route) -> None:
        answer = route.fetch().json()
        own = [row for row in answer["uploads"] if row["dag_id"] == named.green.dag_id]
        route.fulfill(json={**answer, "uploads": own, "more": True})

    page = open_as("admin", "/")
    page.route(re.compile("/userdata/api/uploads[?](?!.*&dag=)"), crowd)
    page.goto(page.url.rstrip("/") + PAGE)
    expect(page.get_by_test_id("count")).to_contain_text("choose a DAG or fewer days to see others")
    page.get_by_label("DAG", exact=True).select_option(named.held.dag_id)
    expect(_row(page, named.held.dag_id, named.held.run_id)).to_have_count(1)
    expect(page.get_by_test_id("count")).not_to_contain_text("Only the newest")
    expect(page.get_by_label("DAG", exact=True)).to_be_focused()
