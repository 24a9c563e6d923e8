"""Whatever stands in an upload's texts is shown as text."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.ui import uploads
from tests.ui.test_detail import address

HARMLESS = "window.attacked === undefined"


def test_markup_on_the_page(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """Scripts, images and Markdown in an upload type, a label and a run's id stand there letter by letter."""
    page = open_as("admin", f"/plugin/userdata?dag={uploads.HOSTILE_DAG}")
    row = page.get_by_test_id("upload")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"{uploads.HOSTILE} {uploads.MARKDOWN}")
    assert row.locator("img, script, b").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate(HARMLESS)
    picture(page, "texts-page")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(uploads.HOSTILE)
    assert page.evaluate(HARMLESS)


def test_markup_in_an_upload(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """So do a rule, a fault, a connection and an error; commands quote what a shell would run."""
    page = open_as("admin", address(named.hostile))
    reasons = page.get_by_role("table", name="Reasons")
    for text in (uploads.HOSTILE, uploads.MARKDOWN):
        expect(reasons).to_contain_text(text)
        expect(page.get_by_role("table", name="faults")).to_contain_text(text)
    expect(page.get_by_role("region", name="Requests and times")).to_contain_text(uploads.HOSTILE)
    expect(page.get_by_role("link", name=named.hostile.run_id)).to_be_visible()
    expect(page.get_by_role("region", name="Commands").locator("code").first).to_contain_text(
        f"'{named.hostile.run_id}'"
    )
    assert page.locator("section").locator("img, script, b").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate(HARMLESS)
    picture(page, "texts-upload")
