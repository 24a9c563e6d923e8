"""Connections are made in Airflow's form and tried by its button."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from airflow_provider_userdata import registry
from airflow_provider_userdata.sandbox import SANDBOX_KEYS
from tests.ui.running import Running

VENDORS = {vendor.name: vendor for vendor in registry.VENDORS}


def test_nobody_gets_in_without_a_login(airflow: Running, new_context: Callable[..., object]) -> None:
    """Whoever opens the page without a login gets Airflow's login page."""
    page: Page = new_context().new_page()  # type: ignore[attr-defined]
    page.goto(f"{airflow.url}/plugin/userdata")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_connection_is_made_and_tried(
    vendor: str, airflow: Running, open_as: Callable[..., Page], picture: Callable[[Page, str], None]
) -> None:
    """The form has the vendor's own labels; the good key tests green, and a wrong one tells what is wrong."""
    for conn_id in (f"{vendor}_default", f"{vendor}_wrong"):
        airflow.api("DELETE", f"connections/{conn_id}")
    page = open_as("admin", "/connections")
    _make(page, vendor, f"{vendor}_default", airflow.sandbox, SANDBOX_KEYS[vendor], picture)
    _make(page, vendor, f"{vendor}_wrong", airflow.sandbox, "no-key-of-theirs")
    said = _try(page, f"{vendor}_default", "Test Connection Successful")
    assert VENDORS[vendor].title in said
    picture(page, f"connection-{vendor}-good")
    said = _try(page, f"{vendor}_wrong", "Test Connection Failed")
    assert "401" in said
    assert "no-key-of-theirs" not in said
    picture(page, f"connection-{vendor}-wrong")


def _make(
    page: Page,
    vendor: str,
    conn_id: str,
    host: str,
    key: str,
    picture: Callable[[Page, str], None] = lambda *_: None,
) -> None:
    """Fill in the form, and save it."""
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill(conn_id)
    form.get_by_role("combobox").first.click()
    form.get_by_role("option", name=VENDORS[vendor].title, exact=True).click()
    # Airflow 3.3.1 and 3.3.2 test no stored connection without a port (they compare it with 0).
    address, _, port = host.rpartition(":")
    form.get_by_label("Base URL", exact=True).fill(address)
    form.get_by_label(re.compile("^Port")).fill(port)
    form.get_by_label(VENDORS[vendor].credential, exact=True).fill(key)
    picture(page, f"connection-{vendor}-form")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()


def _try(page: Page, conn_id: str, title: str) -> str:
    """Press the button that tries a connection; return what Airflow shows."""
    row = page.get_by_role("row").filter(has_text=conn_id)
    row.get_by_role("button", name="Test Connection").press("Enter")  # a tooltip may lie above it
    shown = page.locator("[data-scope=toast][data-part=root]").filter(has_text=title)
    expect(shown).to_be_visible()
    return shown.inner_text()
