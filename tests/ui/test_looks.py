"""The pages in the dark, on a phone, and without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui import uploads
from tests.ui.test_detail import address

PAGE = "/plugin/userdata"
PHONE = {"width": 390, "height": 844}
OVERFLOWING = """() => [document.scrollingElement, ...document.querySelectorAll("*")]
    .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1)
    .filter(one => one === document.scrollingElement || /auto|scroll/.test(getComputedStyle(one).overflowX))
    .map(one => `${one.tagName} ${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""
"""What can be scrolled sideways."""
LIGHTNESS = """one => {
    const canvas = document.createElement("canvas").getContext("2d");
    for (let at = one; at; at = at.parentElement) {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = getComputedStyle(at).backgroundColor;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
        if (alpha) return (red + green + blue) / 765;
    }
    return 1;
}"""
"""How light the ground is on which an element stands, from 0 to 1."""


def _wide_enough(page: Page) -> None:
    assert page.evaluate(OVERFLOWING) == []


def _addresses(named: uploads.Cast) -> dict[str, str]:
    return {
        "page": PAGE,
        "upload-with-rejects": address(named.with_rejects),
        "upload-running": address(named.running),
        "upload-hostile": address(named.hostile),
        "upload-crowded": address(named.crowded),
    }


@pytest.mark.parametrize("which", ["page", "upload-with-rejects", "upload-running", "upload-hostile", "upload-crowded"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(
    which: str, theme: str, open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """On 390 pixels nothing has to be scrolled sideways, in either colours; uploads are cards, not rows."""
    page = _open(open_as, _addresses(named)[which], theme, viewport=PHONE)
    picture(page, f"phone-{theme}-{which}")
    _wide_enough(page)
    if which == "page":
        assert page.get_by_test_id("upload").first.evaluate("one => one.tagName") == "LI"
        assert page.get_by_role("table", name="Uploads").count() == 0
        page.get_by_test_id("upload").nth(4).scroll_into_view_if_needed()
        picture(page, f"phone-{theme}-cards")


@pytest.mark.parametrize("which", ["page", "upload-with-rejects", "upload-running", "upload-crowded"])
def test_in_the_dark(
    which: str, open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """With Airflow's dark colours, ours are dark; with its light ones, light. Nothing is cut at 1280 pixels."""
    page = _open(open_as, _addresses(named)[which], "light")
    assert page.get_by_role("heading", level=1).evaluate(LIGHTNESS) > 0.8
    _wide_enough(page)
    page = _open(open_as, _addresses(named)[which], "dark")
    assert page.get_by_role("heading", level=1).evaluate(LIGHTNESS) < 0.2
    picture(page, f"dark-{which}")


def test_in_a_narrow_window(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """A table's names have room, down to where uploads are cards."""
    page = _open(open_as, PAGE, "light", viewport={"width": 1024, "height": 900})
    upload = page.get_by_test_id("upload").first
    assert upload.evaluate("one => [one.tagName, one.children[1].clientWidth > 180]") == ["TR", True]
    _wide_enough(page)
    page = _open(open_as, PAGE, "light", viewport={"width": 900, "height": 900})
    assert page.get_by_test_id("upload").first.evaluate("one => one.tagName") == "LI"
    _wide_enough(page)


def _open(open_as: Callable[..., Page], path: str, theme: str, **options: Any) -> Page:
    page = open_as("admin", path, theme=theme, **options)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("status").first).to_be_attached()
    return page


def test_by_keyboard_alone(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """Filters, rows and the copy button are reached by the tab key, in their order, and work by the keyboard."""
    page = open_as("admin", f"{PAGE}?dag={named.with_rejects.dag_id}")
    expect(page.get_by_test_id("upload").first).to_be_visible()
    page.get_by_label("Vendor").focus()
    reached = _tab(page, 12)
    for label in ("DAG", "State", "Time"):
        assert label in reached
    assert reached.index("DAG") < reached.index("State") < reached.index("Time")
    page.get_by_label("State", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"a[href*='run_id={named.with_rejects.run_id}&']")).to_have_count(0)
    expect(page.get_by_label("State", exact=True)).to_be_focused()  # though Airflow has made the page anew
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"a[href*='run_id={named.with_rejects.run_id}&']")).to_have_count(1)
    page.locator(f"a[href*='run_id={named.with_rejects.run_id}&']").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Why records were not delivered")).to_be_visible()
    page.get_by_role("link", name="All uploads").focus()
    reached = _tab(page, 12)
    copy = next(name for name in reached if name.startswith("Copy the command"))
    page.get_by_role("button", name=copy).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied").or_(page.get_by_text("copy it with Ctrl+C")).first).to_be_visible()


NAME = """() => {
    const at = document.activeElement;
    return at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || at.getAttribute("role") || at.tagName;
}"""


def _tab(page: Page, times: int) -> list[str]:
    """Press the tab key, and return the names of what got the focus."""
    reached = []
    for _ in range(times):
        page.keyboard.press("Tab")
        reached.append(str(page.evaluate(NAME)))
    return reached


def test_news_are_spoken(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """What changes has the role of a status, so that a screen reader says it."""
    page = open_as("admin", PAGE)
    expect(page.get_by_test_id("count")).to_have_attribute("role", "status")
    page = open_as("admin", address(named.running))
    expect(page.get_by_role("status").filter(has_text="Running")).to_be_attached()
