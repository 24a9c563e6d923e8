"""One upload: why records weren't delivered, what it waits for, what came before, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.ui import uploads
from tests.ui.filling import Filled


def address(upload: Filled) -> str:
    """Return the address of an upload's page."""
    place = {"dag_id": upload.dag_id, "run_id": upload.run_id, "task_id": upload.task_id, "map_index": upload.map_index}
    return f"/plugin/userdata?{urlencode(place)}"


def test_reasons_and_what_to_do(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """Each rule has its count, its meaning and what to do, the most frequent first; each fault its count."""
    page = open_as("admin", address(named.with_rejects))
    reasons = page.get_by_role("table", name="Reasons").get_by_role("row")
    expect(reasons).to_have_count(5)
    for row, (rule, count) in zip(reasons.all()[1:], {"T6": 400, "T8": 300, "T10": 250, "A3": 50}.items(), strict=True):
        expect(row).to_contain_text(rule)
        expect(row).to_contain_text(str(count))
        expect(row).to_contain_text("What to do:")
    expect(page.get_by_role("table", name="faults")).to_contain_text("T6 $.user.userLabel is missing")
    expect(page.get_by_role("table", name="Records by fate")).to_contain_text("49,000")
    picture(page, "upload-with-rejects")


def test_the_commands_are_for_who_may_act(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """The admin gets commands to copy, and the copy is the command; the viewer, who may only read, gets none."""
    page = open_as("admin", address(named.with_rejects), permissions=["clipboard-read", "clipboard-write"])
    commands = page.get_by_role("region", name="Commands")
    expect(commands.locator("code").first).to_contain_text(f"rejects show {named.with_rejects.dag_id}")
    commands.get_by_role("button", name="Copy").first.click()
    expect(commands.get_by_text("Copied").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == commands.locator("code").first.inner_text()
    page = open_as("viewer", address(named.with_rejects))
    expect(page.get_by_role("table", name="Reasons")).to_be_visible()
    expect(page.get_by_role("region", name="Commands")).to_have_count(0)


def test_a_command_is_selected_where_a_browser_has_no_clipboard(
    open_as: Callable[..., Page], named: uploads.Cast
) -> None:
    """As on plain http: what is selected is the command, word by word, whatever its names hold."""
    page = open_as("admin", address(named.hostile))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    commands = page.get_by_role("region", name="Commands")
    commands.get_by_role("button", name="Copy").first.click()
    expect(commands.get_by_text("Selected: copy it with Ctrl+C")).to_be_visible()
    names = f"{named.hostile.dag_id} upload --run-id '{named.hostile.run_id}' --map-index 0"
    assert page.evaluate("getSelection().toString()") == f"airflow userdata rejects show {names}"


def test_what_it_waits_for(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """An upload that waits says for what, and until when."""
    page = open_as("admin", address(named.waiting))
    expect(page.get_by_text("It waits for the end of the vendor's maintenance")).to_be_visible()
    expect(page.get_by_text("in 5 hours")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("Waiting")
    picture(page, "upload-waiting")


def test_what_came_before(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """An upload that is retried shows its earlier attempts, and how far each came, and says what the next one does."""
    page = open_as("admin", address(named.retrying))
    attempts = page.get_by_role("table", name="Earlier attempts").get_by_role("row")
    expect(attempts).to_have_count(3)
    expect(attempts.nth(2)).to_contain_text("3,000")
    expect(page.get_by_text("VendorDownError")).to_be_visible()
    expect(page.get_by_text("The next attempt goes on where this one stopped.")).to_be_visible()
    picture(page, "upload-retrying")
    page = open_as("admin", address(named.starting_over))
    expect(page.get_by_text("The next attempt sends everything again: the task has resume=False.")).to_be_visible()
    expect(page.get_by_text("goes on where")).to_have_count(0)


def test_the_way_from_rejects_to_a_second_try(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """A red task for its rejects: see them, correct the source first of all, else a table; each with its sentence."""
    page = open_as("admin", address(named.red_for_rejects))
    expect(page.get_by_text("More records are rejected or unknown than the task allows")).to_be_visible()
    commands = page.get_by_role("region", name="Commands")
    expect(commands.get_by_role("heading", level=3)).to_have_text(
        [
            "See what was not delivered",
            "Correct the source, and clear the task",
            "Correct the records in a spreadsheet",
            "Samples that wait for the next run",
        ]
    )
    for words in ("rejects show", "userdata report", "clearTaskInstances", "--csv", "--fix", "--dry-run", "held list"):
        expect(commands.locator("code").filter(has_text=words).first).to_be_visible()
    expect(page.get_by_text("what a replay has delivered since still counts here")).to_be_visible()
    picture(page, "upload-red-for-rejects")


def test_a_kept_address_of_a_run_that_is_gone(
    open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]
) -> None:
    """It says which run that was and where to look, also after a reload; the way back leads to the page."""
    page = open_as("admin", address(replace(named.green, run_id="removed__2025-11-30")))
    for again in (False, True):
        if again:
            page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("No upload is here")
        expect(page.get_by_text("Run removed__2025-11-30")).to_be_visible()
    picture(page, "upload-gone")
    page.get_by_role("link", name="All uploads").click()
    expect(page.get_by_role("heading", name="User data")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Run removed__2025-11-30")).to_be_visible()


def test_while_it_runs(open_as: Callable[..., Page], named: uploads.Cast, picture: Callable[[Page, str], None]) -> None:
    """A running upload has its share, rate, time left, requests by answer, and a plot of the rate."""
    page = open_as("admin", address(named.running))
    progress = page.get_by_test_id("progress")
    for words in ("44.4%", "of 90,000 records", "400/s", "about 2 min 5 s left"):
        expect(progress).to_contain_text(words)
    for words in ("2xx: 40", "429 (too many): 2", "12 of at most 16", "3 requests sent again"):
        expect(page.get_by_role("region", name="Requests and times")).to_contain_text(words)
    assert page.locator(".recharts-surface path.recharts-curve").count() >= 1
    picture(page, "upload-running")


def test_where_there_is_none(open_as: Callable[..., Page], named: uploads.Cast) -> None:
    """A task that uploads nothing is told in a sentence; nothing in the console calls it an error."""
    page = open_as("admin", "/plugin/userdata?dag_id=warehouse&run_id=hourly__1&task_id=load&map_index=3")
    expect(page.get_by_text("This task uploads nothing with this provider")).to_be_visible()
