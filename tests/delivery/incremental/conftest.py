"""Runs of one stream, one after the other, with a ledger that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.delivery.plan import Plan, Result
from airflow_provider_userdata.delivery.runner import Delivery
from airflow_provider_userdata.ledger import SqlLedger, Stream

SECRET = b"a secret of the tests' own"
FATES = ("delivered", "rejected", "held", "unchanged", "unknown", "valid")


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """Return the URL of an empty database."""
    return new_database()


@pytest.fixture
def ledger(database: str) -> Callable[..., SqlLedger]:
    """Make the ledger of a run: ``ledger("ptengine", "1")``."""

    def make(vendor: str, run: str = "1", **options: Any) -> SqlLedger:
        options = {"keyed": vendor == "ptengine", "secret": SECRET, "busy_timeout": 2.0, **options}
        return SqlLedger(options.pop("database", database), Stream(vendor, "sandbox"), run=run, **options)

    return make


@pytest.fixture
def run(plan: Callable[..., Plan], ledger: Callable[..., SqlLedger], tmp_path: Any) -> Callable[..., Result]:
    """Make an incremental run: ``run("ptengine", rows, "2")``; each has files of its own."""

    def deliver(vendor: str, source: Any, name: str = "1", **given: Any) -> Result:
        given.setdefault("ledger", ledger(vendor, name))
        given.setdefault("output", tmp_path / f"run-{name}")
        ended = Delivery(plan(vendor, source, **given)).run()
        report = ended.report
        assert report.read == sum(getattr(report, fate) for fate in FATES)
        return ended

    return deliver


@pytest.fixture
def marked(ledger: Callable[..., SqlLedger]) -> Callable[[str], int]:
    """Count what a later run would find delivered: ``marked("gerosense")``."""

    def count(vendor: str) -> int:
        opened = ledger(vendor, "somebody else")
        opened.open()
        told = "claim IS NULL AND fingerprint IS NOT NULL" if vendor == "ptengine" else "1 = 1"
        with opened._database.reading() as connection:
            statement = f"SELECT count(*) FROM userdata_ledger_entries WHERE {told}"
            found = connection.exec_driver_sql(statement).scalar()
        opened.close()
        return int(found or 0)

    return count
