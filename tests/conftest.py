"""Databases for ledgers: SQLite, or the PostgreSQL that `make test-postgres` starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

VARIABLE = "USERDATA_TEST_POSTGRES"


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Make empty databases: ``new_database()`` gives a URL."""
    server = os.environ.get(VARIABLE)
    if server is None:
        yield lambda: f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}"
        return
    engine = create_engine(server, isolation_level="AUTOCOMMIT")

    def make() -> str:
        name = f"test_{uuid.uuid4().hex}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return make_url(server).set(database=name).render_as_string(hide_password=False)

    yield make
    engine.dispose()
