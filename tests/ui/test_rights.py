"""Below a path of its own, and where the viewer may not see every DAG."""

from __future__ import annotations

from collections.abc import Callable

import requests
from playwright.sync_api import Page, expect

from tests.ui import uploads
from tests.ui.running import Running
from tests.ui.test_detail import address

PAGE = "/plugin/userdata"


def test_a_hidden_dag_is_nowhere(
    airflow: Running, open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """Whom a DAG is hidden from finds it in no row, no filter and no plot, nor by its upload's address."""
    seen = {}
    for user in ("admin", "viewer"):
        page = open_as(user, PAGE, airflow.hiding_url)
        expect(page.get_by_test_id("plot")).to_have_count(2)
        names = page.get_by_label("DAG", exact=True).locator("option").all_inner_texts()
        page.get_by_label("Vendor").select_option("Thymia")
        delivered = page.get_by_test_id("plot").first.locator("strong").first.inner_text()
        seen[user] = (uploads.HIDDEN_DAG in names, uploads.HIDDEN_KIND in page.content(), delivered)
    assert seen["admin"][:2] == (True, True)
    assert seen["viewer"][:2] == (False, False)
    of_hidden = 10 * named.hidden.shown["delivered"]
    admins, viewers = (int(seen[user][2].replace(",", "")) for user in ("admin", "viewer"))
    assert admins - viewers == of_hidden
    picture(page, "viewer-below-a-path")


def test_a_hidden_upload_says_what_is_missing(
    airflow: Running,
    new_context: Callable[..., object],
    cookies: dict[tuple[str, str], object],
    open_as: Callable[..., Page],
    named: uploads.Cast,
    picture: Callable[[Page, str], None],
) -> None:
    """Its address gives a sentence; the browser calls the 403 an error, as it should."""
    open_as("viewer", PAGE, airflow.hiding_url)  # logs in
    page: Page = new_context(storage_state=cookies[airflow.hiding_url, "viewer"]).new_page()  # type: ignore[attr-defined]
    page.goto(airflow.hiding_url + address(named.hidden))
    expect(page.get_by_text("You may not see this")).to_be_visible()
    assert uploads.HIDDEN_KIND not in page.content()
    picture(page, "upload-forbidden")


def test_below_a_path(
    airflow: Running, open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """With a `base_url` that has a path, page, upload and links are below it, and nothing loads Airflow anew."""
    page = open_as("admin", PAGE, airflow.hiding_url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("State", exact=True).select_option("Done with rejects")
    page.evaluate("window.untouched = true")
    page.locator(f"a[href*='dag_id={named.with_rejects.dag_id}&run_id={named.with_rejects.run_id}&']").click()
    expect(page.get_by_text("Why records were not delivered")).to_be_visible()
    assert page.url.startswith(f"{airflow.hiding_url}{PAGE}?")
    picture(page, "upload-below-a-path")
    page.get_by_role("link", name="All uploads").click()
    expect(page.get_by_test_id("upload").first).to_be_visible()
    assert page.evaluate("window.untouched")
    assert all(url.startswith(airflow.hiding_url) for url in asked)


def test_nobody_gets_anything(airflow: Running) -> None:
    """Every address of the plugin answers 401 to whoever isn't logged in."""
    for base in (airflow.url, airflow.hiding_url):
        for path in ("/api/uploads", "/api/uploads/a/b/c/-1", "/static/main.js"):
            assert requests.get(f"{base}/userdata{path}", timeout=30).status_code == 401
