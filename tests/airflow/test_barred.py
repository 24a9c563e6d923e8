"""What stands in a task's way: whether Airflow tries again, and what the task says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator

PASSWORD = "proxy-secret"


def answering(answer: bytes) -> Any:
    """Answer whatever comes with the same bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        writer.close()

    return serve


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define the connection of the task: ``connection(host=…, extra=…)``."""

    def define(**fields: Any) -> None:
        value = {"conn_type": "ptengine", "password": "a-key", **fields}
        monkeypatch.setenv("AIRFLOW_CONN_PTENGINE_DEFAULT", json.dumps(value))

    return define


def _message(context: dict[str, Any], kind: type[AirflowException]) -> str:
    operator = PtengineProfilesOperator(task_id="upload", source=[{"user_id": "u"}], max_attempts=1)
    with pytest.raises(AirflowException) as raised:
        operator.execute(context)  # type: ignore[arg-type]
    assert type(raised.value) is kind
    assert PASSWORD not in str(raised.value)
    assert "a-key" not in str(raised.value)
    return str(raised.value)


def test_a_certificate_for_another_host(serving: Any, connection: Any, authority: Any, context: dict[str, Any]) -> None:
    """No retry helps: the message names the connection and its host."""
    place = serving(answering(b""), authority.server("other.example"))
    connection(host=place, extra={"verify": str(authority.path)})

    said = _message(context, AirflowFailException)

    assert said == (
        f"RefusedError: ptengine can't be reached (connection 'ptengine_default', host {place}): "
        "its certificate is for another host (is the connection's host right?) (A1)"
    )


def test_a_proxy_that_wants_credentials(serving: Any, connection: Any, context: dict[str, Any]) -> None:
    """No retry helps: the proxy is named, and what it would need."""
    place = serving(answering(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"))
    connection(host="https://vendor.example", extra={"proxy": f"http://me:{PASSWORD}@{place}"})

    said = _message(context, AirflowFailException)

    assert said.startswith("RefusedError: ptengine answered 407: the proxy requires credentials, or rejects those")
    assert f"(connection 'ptengine_default', host vendor.example, proxy {place})" in said


def test_nobody_there(connection: Any, context: dict[str, Any]) -> None:
    """A retry may help."""
    connection(host="https://nowhere.invalid")

    said = _message(context, AirflowException)

    assert said.startswith(
        "VendorDownError: ptengine: can't be reached (connection 'ptengine_default', host nowhere.invalid): its name "
        "was not found (is the connection's host right, does this machine reach its DNS?), after 1 attempts"
    )


def test_airflow_does_not_retry_what_no_retry_helps(serving: Any, connection: Any, new_dag: Any, run_dag: Any) -> None:
    """One attempt, though the task has two more."""
    connection(host=f"https://{serving(answering(b'HTTP/1.1 400 No'))}")
    with new_dag() as dag:
        PtengineProfilesOperator(task_id="upload", source=[{"user_id": "u"}], retries=2, retry_delay=timedelta(0))
    run = run_dag(dag)

    assert (run.states("upload"), run.tries("upload")) == (["failed"], [1])
