"""What the functions look at of an Airflow connection, and what their refusals must not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_userdata.errors import ConnectionSettingsError

PASSWORD = "s3cr3t-key"


class Connection:
    """A connection called `vendor_here`.

    :param extra: as text, or what is written as JSON.
    """

    conn_id = "vendor_here"

    def __init__(self, extra: object = None, **fields: Any) -> None:
        self.host: str | None = None
        self.schema: str | None = None
        self.port: int | None = None
        self.password: str | None = PASSWORD
        self.extra = extra if extra is None or isinstance(extra, str) else json.dumps(extra)
        vars(self).update(fields)

    @property
    def extra_dejson(self) -> Any:
        """What Airflow makes of the text: nothing, where it can't be read."""
        try:
            return json.loads(self.extra or "{}")
        except ValueError:
            return {}


@pytest.fixture(scope="session")
def connection() -> type[Connection]:
    """Make connections: ``connection(host=…, extra=…)``."""
    return Connection


@pytest.fixture
def refused() -> Callable[[Callable[[], object]], str]:
    """Give the message of a refusal, which names the connection and shows no secret."""

    def message(call: Callable[[], object]) -> str:
        with pytest.raises(ConnectionSettingsError) as raised:
            call()
        assert "'vendor_here'" in str(raised.value)
        assert PASSWORD not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
        return str(raised.value)

    return message
