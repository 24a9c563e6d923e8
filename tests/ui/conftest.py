"""A browser that is logged in to a real Airflow, and sees to it that nothing goes wrong in its console."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from scripts import chromium
from tests.ui import filling, uploads
from tests.ui.running import ROOT, Running, running

PICTURES = ROOT / ".screenshots"
WIDE = {"width": 1280, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Airflow and the browser: `make test` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "airflow" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


FIGURES = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what was measured."""
    for figure in config.stash.get(FIGURES, []):
        terminalreporter.write_line(figure)


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Note a figure, to be told at the end."""
    return request.config.stash.setdefault(FIGURES, []).append


@pytest.fixture(scope="session")
def airflow() -> Iterator[Running]:
    """Start Airflow once, with a filled database, and the sandbox."""
    if file := os.environ.get("USERDATA_TEST_UI"):
        yield Running(**json.loads(Path(file).read_text()))
        return
    with running() as place:
        yield place


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser once."""
    expect.set_options(timeout=20_000)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium.found(), args=chromium.ARGUMENTS) as started,
    ):
        yield started


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open browsers that know of nobody, and close them."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(browser.new_context(**{"viewport": WIDE, **options}))


@pytest.fixture(scope="session")
def cookies() -> dict[tuple[str, str], Any]:
    """Keep what a login leaves, by address and user, so that each logs in once."""
    return {}


@pytest.fixture
def open_as(
    airflow: Running, new_context: Callable[..., BrowserContext], cookies: dict[tuple[str, str], Any]
) -> Iterator[Callable[..., Page]]:
    """Open a page as a user: ``open_as("admin", "/plugin/userdata")``; fail where its console has errors."""
    problems: list[str] = []

    def start(user: str, path: str, url: str | None = None, theme: str = "light", **options: Any) -> Page:
        url = url or airflow.url
        if (url, user) not in cookies:
            page = new_context().new_page()
            log_in(page, url, user)
            cookies[url, user] = page.context.storage_state()
        context = new_context(storage_state=cookies[url, user], **options)
        context.add_init_script(f"localStorage.setItem('theme', '{theme}')")  # as Airflow keeps it
        page = context.new_page()
        page.on("console", lambda said: _note(said, problems))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url + path)
        return page

    yield start
    assert not problems


def _note(said: ConsoleMessage, problems: list[str]) -> None:
    if said.type == "error":
        problems.append(f"{said.text} {said.location}")


def log_in(page: Page, url: str, user: str) -> None:
    """Log in as people do."""
    page.goto(url)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(Running.password(user))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(re.escape(url) + r"/(?!auth)"))


@pytest.fixture
def named(airflow: Running) -> uploads.Cast:
    """Return the uploads that tests look for; the running one has just given a sign of life."""
    now = datetime.now(UTC)
    cast = uploads.cast(now)
    filling.rewrite(airflow.database, cast.running, now)
    return cast


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a page, for people to look at."""
    PICTURES.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    return take
