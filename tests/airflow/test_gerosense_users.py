"""Many users' samples in a real Airflow: by the direct API, and by the proxy with a token a user (G14)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.sandbox import SANDBOX_KEYS, Sandbox
from airflow_provider_userdata.sandbox.gerosense_users import LOGIN

KEY = SANDBOX_KEYS["gerosense"]
USERS = [f"{number:08x}-user" for number in range(10)]


def mixed(marker: str, count: int, users: list[str] = USERS, first: int = 1) -> list[dict[str, Any]]:
    """Make samples of several users in turns; their values count from the first."""
    return [
        {
            "who": users[number % len(users)],
            "device_name": marker,
            "start_date": "2024-05-01T08:00:00Z",
            "unit": "count",
            "value": first + number,
        }
        for number in range(count)
    ]


def values(records: list[dict[str, Any]], user: str) -> dict[str, list[int]]:
    """Give each user's values, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        found[record[user]].append(record["value"])
    return dict(found)


@pytest.fixture
def direct(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Let the default connection lead to the sandbox's direct API."""
    connection = {
        "conn_type": "gerosense",
        "host": sandbox.url,
        "login": LOGIN,
        "password": KEY,
        "extra": {"api": "direct"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_GEROSENSE_DEFAULT", json.dumps(connection))
    return sandbox


def upload(records: Any, **options: Any) -> GerosenseSamplesOperator:
    """Make a task."""
    options = {"task_id": "upload", "data_type": "steps", "user_id": "who", "max_in_flight": 1, **options}
    return GerosenseSamplesOperator(source=records, **options)


def test_ten_users_mixed_in_one_source_reach_the_direct_api(
    new_dag: Any, run_dag: Any, direct: Sandbox, marker: str, stored: Callable[..., set[str]], output: Path
) -> None:
    """User by user, also when the token expires in the middle; no token and no password is stored anywhere."""
    direct.gerosense.tokens.lasts = 7
    records = mixed(marker, 25_000)
    with new_dag() as dag:
        upload(records)

    run = run_dag(dag)

    report = run.xcom("upload")
    assert (run.state, report["delivered"], report["resent"]) == ("success", 25_000, 0)
    assert values(direct.gerosense.arrived(), "user_id") == values(records, "who")
    for request in direct.gerosense.requests:
        body = json.loads(request.body)
        assert len({*body} - {"data_type", "data", "user_id"}) == 0
        assert 3 <= len(body["data"]) <= 1000
    assert direct.gerosense.tokens.issued > 3
    assert not {place for place in stored(KEY) if place != "connection"}
    assert KEY not in "".join(file.read_text() for file in output.rglob("*") if file.is_file())


def test_ten_users_reach_the_proxy_with_ten_tokens(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, marker: str, monkeypatch: pytest.MonkeyPatch,
    stored: Callable[..., set[str]],
) -> None:  # fmt: skip
    """By a template, which Airflow renders for each user and stores for none; the connection has no token itself."""
    connection = {"conn_type": "gerosense", "host": sandbox.url}
    monkeypatch.setenv("AIRFLOW_CONN_GEROSENSE_DEFAULT", json.dumps(connection))
    for user in USERS:
        monkeypatch.setenv(f"AIRFLOW_VAR_TOKEN_OF_{user.upper()}", f"{KEY}-of-{user}")
    sandbox.gerosense.user_tokens = {f"{KEY}-of-{user}": user for user in USERS}
    records = mixed(marker, 12_000)
    with new_dag() as dag:
        upload(records, token="{{ var.value['token_of_' ~ user_id] }}")  # a template

    run = run_dag(dag)

    assert (run.state, run.xcom("upload")["delivered"]) == ("success", 12_000)
    assert values(sandbox.gerosense.arrived(), "user_id") == values(records, "who")
    assert "token" not in run.rendered("upload")
    assert not stored(KEY)


def test_a_user_without_a_good_token_fails_the_task_after_the_others(
    new_dag: Any, run_dag: Any, sandbox: Sandbox, marker: str, output: Path
) -> None:
    """That user's records stand in the rejects file with the rule; `max_rejected` says how many may."""
    tokens = {user: f"{KEY}-of-{user}" for user in USERS[:-1]}
    sandbox.gerosense.user_tokens = {token: user for user, token in tokens.items() if user != USERS[0]}
    with new_dag() as dag:
        task = upload(mixed(marker, 100), token=tokens.get)

    run = run_dag(dag)

    report = run.xcom("upload", "report")
    assert (run.state, report["delivered"], report["reasons"]) == ("failed", 80, {"A1": 20})
    rejected = run.lines(output, "upload", "rejects")
    assert {line["record"]["who"] for line in rejected} == {USERS[0], USERS[-1]}
    task.max_rejected = 0.2
    assert run_dag(dag).xcom("upload")["rejected"] == 20


def test_held_samples_of_each_user_go_out_first_in_the_next_run(
    new_dag: Any, run_dag: Any, direct: Sandbox, marker: str, output: Path
) -> None:
    """They join that user's new ones; who has still too few is held on."""
    first = [*mixed(marker, 4, USERS[:2]), *mixed(marker, 5, USERS[2:3], first=50), *mixed(marker, 1, USERS[3:4], 60)]
    with new_dag() as dag:
        task = upload(first)
    report = run_dag(dag).xcom("upload")
    assert (report["delivered"], report["held"], report["reasons"]) == (5, 5, {"G4": 5})

    second = [*mixed(marker, 2, USERS[:2], first=100), *mixed(marker, 1, USERS[3:4], first=200)]
    task.source = second
    run = run_dag(dag)

    report = run.xcom("upload")
    assert (report["read"], report["delivered"], report["held"]) == (8, 6, 2)
    arrived, wanted = values(direct.gerosense.arrived(), "user_id"), values(first + second, "who")
    assert arrived == {user: wanted[user] for user in USERS[:3]}
    assert run.xcom("upload", "held")["count"] == 2


def test_fields_say_where_users_and_registrations_stand(
    new_dag: Any, run_dag: Any, direct: Sandbox, marker: str, tmp_path: Path
) -> None:
    """From a CSV file, in which all is text; users are registered before their first sample, and computed after it."""
    direct.gerosense.registered_only = True
    source = tmp_path / "samples.csv"
    rows = [f"{USERS[n % 2]},Male,{1980 + n % 2},{marker},2024-05-01T08:00:0{n}Z,{n + 1}\n" for n in range(8)]
    source.write_text("id,sex,born,watch,at,steps\n" + "".join(rows))
    from airflow_provider_userdata.sources import Constant

    with new_dag() as dag:
        upload(
            str(source),
            user_id="id",
            register={"biological_sex": "sex", "year_of_birth": "born"},
            calculate=True,
            fields={"device_name": "watch", "start_date": "at", "value": "steps", "unit": Constant("count")},
        )

    assert run_dag(dag).xcom("upload")["delivered"] == 8
    assert [user["year_of_birth"] for user in direct.gerosense.registrations.users.values()] == [1980, 1981]
    assert {one["user_id"] for one in direct.gerosense.calculated} == set(USERS[:2])


def test_an_incremental_run_knows_each_users_samples(
    new_dag: Any, run_dag: Any, direct: Sandbox, marker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sample of another user is another one."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    records = mixed(marker, 100)
    with new_dag() as dag:
        task = upload(records, incremental=True)
    assert run_dag(dag).xcom("upload")["delivered"] == 100
    task.source = [*records, *({**record, "who": "another"} for record in records[:10])]
    report = run_dag(dag).xcom("upload")
    assert (report["unchanged"], report["delivered"]) == (100, 10)
    assert direct.gerosense.counts.distinct == direct.gerosense.counts.records == 110


@pytest.mark.parametrize(
    ("api", "options", "said"),
    [
        ("direct", {"user_id": None}, "user_id: must name the column"),
        ("direct", {"token": "{{ user_id }}"}, "token: is for users of a proxy"),
        ("direct", {"user_id": "device_name"}, "a sample has fields of the names"),
        ("direct", {"user_id": 5}, "user_id: must be the name of a column"),
        ("direct", {"register": {"biological_sex": "sex"}}, "register: must name the columns"),
        ("direct", {"register": {"biological_sex": "s", "year_of_birth": 5}}, "register: must map each"),
        ("direct", {"calculate": "yes"}, "calculate: must be True or False"),
        ("proxy", {}, "a proxy's token stands for one user"),
        ("proxy", {"user_id": None, "token": "{{ user_id }}"}, "token: needs `user_id`"),
        ("proxy", {"token": " "}, "token: must be a function"),
        ("proxy", {"user_id": None, "register": {}}, "register: needs `user_id`"),
        (
            "proxy",
            {"token": "{{ user_id }}", "register": {"biological_sex": "s", "year_of_birth": "y"}},
            "register: needs the direct API",
        ),
        ("tunnel", {}, "'api' in its extra must be 'proxy' or 'direct'"),
    ],
)
def test_arguments_that_do_not_fit_the_connection(
    api: str, options: dict[str, Any], said: str, context: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task fails before the first request, without a retry, and says what is missing."""
    connection = {
        "conn_type": "gerosense", "host": sandbox.url, "login": LOGIN, "password": KEY, "extra": {"api": api}
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_GEROSENSE_DEFAULT", json.dumps(connection))

    with pytest.raises(AirflowFailException, match=said):
        upload([], **options).execute(context)

    assert sandbox.gerosense.counts.requests == sandbox.gerosense.tokens.issued == 0


def test_one_users_proxy_works_as_before(context: Any, sandbox: Sandbox, samples: Any) -> None:
    """Without `user_id`; and it can be asked for the computation, whose failure is only logged."""
    report = GerosenseSamplesOperator(
        task_id="upload", data_type="bpm", source=samples(5), calculate=True
    ).execute(context)  # fmt: skip

    assert (report["delivered"], report["requests"]) == (5, 1)
    assert [one["model_type"] for one in sandbox.gerosense.calculated] == ["bpm"]


def test_a_mapped_task_has_its_users_tokens(new_dag: Any, run_dag: Any, sandbox: Sandbox, marker: str) -> None:
    """A function stays one in `partial()`; each mapped instance holds its own users' samples."""
    sandbox.gerosense.user_tokens = {f"{KEY}-of-{user}": user for user in USERS}
    with new_dag() as dag:
        mapped = GerosenseSamplesOperator.partial(
            task_id="upload", data_type="steps", user_id="who", token=lambda user: f"{KEY}-of-{user}"
        )
        mapped.expand(source=[mixed(marker, 40), mixed(marker, 12, first=100)])

    run = run_dag(dag)

    assert run.state == "success"
    reports = [run.xcom("upload", map_index=index) for index in (0, 1)]
    assert [(report["delivered"], report["held"]) for report in reports] == [(40, 0), (0, 12)]


def test_nothing_is_sent_where_all_is_only_validated(context: Any, direct: Sandbox, marker: str) -> None:
    """Not even a login or a registration."""
    rows = [{**row, "sex": "Male", "born": 1990} for row in mixed(marker, 60)]
    task = upload(rows, validate_only=True, register={"biological_sex": "sex", "year_of_birth": "born"}, calculate=True)

    report = task.execute(context)

    assert (report["read"], report["requests"]) == (60, 0)
    assert direct.gerosense.tokens.issued == direct.gerosense.registrations.requests == 0
