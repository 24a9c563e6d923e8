"""A connection is an account, which may be one person's: nothing that is another's goes there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

CONNECTION = "AIRFLOW_CONN_GEROSENSE_DEFAULT"


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sandbox]]:
    """Give a GeroSense for each of two users, with the connections `alice` and `bob`."""
    with Sandbox(keep=None) as alice, Sandbox(keep=None) as bob:
        found = {"alice": alice, "bob": bob}
        for name, sandbox in found.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", sandbox.connections()[CONNECTION])
        yield found


def samples(user: str, count: int) -> list[dict[str, Any]]:
    """Give samples of a user's watch."""
    return [
        {"device_name": user, "start_date": f"2024-05-01T08:00:0{n}Z", "unit": "count", "value": n + 1}
        for n in range(count)
    ]


def arrived(sandbox: Sandbox) -> list[str]:
    """Give whose samples arrived."""
    return sorted(
        sample["device_name"] for sent in sandbox.gerosense.requests for sample in json.loads(sent.body)["data"]
    )


def test_held_samples_go_to_their_own_account_whatever_its_index(
    run_dag: Callable[..., Any], accounts: dict[str, Sandbox]
) -> None:
    """A mapped task's users come in another order the next day: what was held of one goes out with that one's."""

    def dag(*users: tuple[str, int]) -> Any:
        with DAG("accounts_mapped", schedule=None) as made:
            GerosenseSamplesOperator.partial(task_id="upload", data_type="steps").expand_kwargs(
                [{"gerosense_conn_id": user, "source": samples(user, count)} for user, count in users]
            )
        return made

    assert run_dag(dag(("alice", 2))).state == "success"
    assert run_dag(dag(("bob", 3), ("alice", 3))).state == "success"

    assert arrived(accounts["bob"]) == ["bob"] * 3
    assert arrived(accounts["alice"]) == ["alice"] * 5


def test_held_samples_stay_where_a_connection_leads_elsewhere(
    context: Any, accounts: dict[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    """They are neither sent nor lost, and the log says where they are."""

    def upload(user: str, count: int) -> Any:
        return GerosenseSamplesOperator(
            task_id="upload",
            gerosense_conn_id=user,
            data_type="steps",
            source=samples(user, count),
            resume=False,
        ).execute(context)

    assert upload("alice", 2)["held"] == 2
    context["ti"] = type(context["ti"])(run_id="r2")

    assert upload("bob", 3)["delivered"] == 3
    assert arrived(accounts["bob"]) == ["bob"] * 3
    assert "2 held records in" in "".join(capsys.readouterr())


def test_a_retry_to_another_address_or_as_another_kind_is_refused(
    context: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the attempt before delivered isn't there: the report would say that it is."""
    records = [{"user": {"userLabel": f"u{n}"}, "data": {"a": n}} for n in range(20)]

    def upload(kind: str = "mood") -> Any:
        return ThymiaUploadOperator(task_id="upload", upload_type=kind, source=records, max_in_flight=1).execute(
            context
        )

    sandbox.thymia.script("ok x10", "401")
    with pytest.raises(AirflowFailException):
        upload()
    with pytest.raises(AirflowFailException, match="another kind"):
        upload("mod")
    with Sandbox(keep=None) as other, monkeypatch.context() as patched:
        patched.setenv("AIRFLOW_CONN_THYMIA_DEFAULT", other.connections()["AIRFLOW_CONN_THYMIA_DEFAULT"])
        with pytest.raises(AirflowFailException, match="another address"):
            upload()
        assert other.thymia.counts.requests == 0

    assert upload()["delivered"] == 20
    assert sandbox.thymia.counts.repeated == 0


@pytest.mark.parametrize("kind", [str, "ObjectStoragePath"])
def test_an_output_path_with_the_scheme_of_local_files_is_private(
    kind: Any, context: Any, tmp_path: Path, sandbox: Sandbox
) -> None:
    """`file://` is a folder of this machine, whose files Airflow's user alone reads."""
    path: Any = f"file://{tmp_path}/a%20b"
    if kind is not str:
        from airflow.providers.common.compat.sdk import ObjectStoragePath  # one case needs it

        path = ObjectStoragePath(f"file://{tmp_path}/a b")
    report = ThymiaUploadOperator(
        task_id="upload", upload_type="mood", source=[{"no": "record"}], output_path=path, max_rejected=1
    ).execute(context)

    rejects = Path(report["rejects"])
    assert rejects.is_relative_to(tmp_path / "a b")
    assert rejects.stat().st_mode & 0o077 == 0
    assert rejects.parent.stat().st_mode & 0o077 == 0
    assert sandbox.thymia.counts.requests == 0
