"""What is wrong is named before the first request, and never retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, AirflowFailException

from airflow_provider_userdata.operators.gerosense import GerosenseSamplesOperator
from airflow_provider_userdata.operators.ptengine import PtengineProfilesOperator
from airflow_provider_userdata.operators.thymia import ThymiaUploadOperator
from airflow_provider_userdata.sandbox import Sandbox

VALID: dict[type, dict[str, Any]] = {
    ThymiaUploadOperator: {"upload_type": "mood", "source": [{"user": {"userLabel": "u"}, "data": {"a": 1}}]},
    GerosenseSamplesOperator: {
        "data_type": "steps",
        "source": [{"device_name": "d", "start_date": "2024-05-01T08:00:00Z", "unit": "count", "value": 1}] * 3,
    },
    PtengineProfilesOperator: {"source": [{"user_id": "u"}]},
}
THYMIA, GEROSENSE, PTENGINE = VALID
NOTHING = object()


def make(operator: type, **arguments: Any) -> Any:
    """Make an operator whose other arguments are fine."""
    return operator(task_id="t", **{**VALID[operator], **arguments})


@pytest.fixture
def refused(context: dict[str, Any], sandbox: Sandbox) -> Callable[[Any], str]:
    """Execute an operator that must fail for good before anything is sent, and give its message."""

    def execute(operator: Any) -> str:
        with pytest.raises(AirflowFailException) as caught:
            operator.execute(context)
        assert all(vendor.counts.requests == 0 for vendor in sandbox.vendors.values())
        assert caught.value.__cause__ is None  # Airflow logs chains of exceptions
        return str(caught.value)

    return execute


@pytest.mark.parametrize("operator", VALID)
def test_what_the_others_differ_from_is_valid(operator: type, context: dict[str, Any], sandbox: Sandbox) -> None:
    """The arguments of the tests below are fine, but for one."""
    assert make(operator).execute(context)["delivered"] == len(VALID[operator]["source"])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_rejected", [-1, "x", True, None, float("nan"), float("inf"), -0.5, [1]]),
        ("max_in_flight", [0, -1, 1.5, True, "16", None, 1_000_000]),
        ("requests_per_second", [0, -1, "fast", True, float("inf")]),
        ("max_attempts", [0, 2.5, "6", None]),
        ("max_wait", [0, -1, "1h", None]),
        ("on_doubt", ["", "drop", None, ["resend"], "RESEND"]),
        ("resume", ["false", "", 0, None]),
        ("validate_only", ["false", 1, None]),
        ("incremental", ["False", 0, None]),
        ("deferrable", ["false", 1]),
        ("fields", [["user_id"], "user_id", {"user_id": 1}, {1: "user_id"}, 5, {}]),
        ("output_path", [5, ["x"], "nosuch://bucket/x"]),
    ],
)
@pytest.mark.parametrize("operator", VALID)
def test_arguments_of_all_three(operator: type, name: str, values: list[Any], refused: Callable[[Any], str]) -> None:
    """The message begins with the error's kind and names the argument."""
    for value in values:
        assert refused(make(operator, **{name: value})).startswith(f"ArgumentError: {name}: "), value


@pytest.mark.parametrize(
    ("operator", "name", "values"),
    [
        (GEROSENSE, "data_type", ["", "Steps", "heart_rate", None, 5, ["steps"]]),
        (GEROSENSE, "default_timezone", ["", "Tokyo", "UTC+9", "../etc/passwd", 9, "Asia"]),
        (GEROSENSE, "fields", [{"device": "x"}, {"start_date": "t", "steps": "n"}]),
        (THYMIA, "upload_type", ["", " ", ".", "..", None, 5]),
        (THYMIA, "user_label", ["", " ", 5]),
        (THYMIA, "pii", ["", "refused", None, True, ["refuse"]]),
        (THYMIA, "pii_allowed", ["email", 5, [1], None]),
        (THYMIA, "data_schema", [5, [], "/nowhere/schema.json", "/", "nosuch://bucket/x.json", "", {"type": "text"}]),
        (THYMIA, "data_schema", [{"properties": 5}, {"$ref": "#/nowhere"}, {"pattern": "("}]),
    ],
)
def test_arguments_of_one_vendor(operator: type, name: str, values: list[Any], refused: Callable[[Any], str]) -> None:
    """The message begins with the error's kind and names the argument."""
    for value in values:
        assert refused(make(operator, **{name: value})).startswith(f"ArgumentError: {name}: "), value


def test_a_schema_file_that_is_no_schema(refused: Callable[[Any], str], tmp_path: Path) -> None:
    """Broken JSON and JSON that is no schema are told apart, and the file is named."""
    path = tmp_path / "agreed.json"
    for text, words in (
        ("{", "is not JSON"),
        ("[]", "must be a JSON Schema"),
        ('{"type": 5}', "is not a valid JSON Schema"),
    ):
        path.write_text(text)
        for schema in (path, str(path)):
            assert words in refused(make(THYMIA, data_schema=schema))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "source: it is None"),
        ("/nowhere/x.jsonl", "/nowhere/x.jsonl"),
        ("/nowhere/*.csv", "no file matches '/nowhere/*.csv'"),
        (["/nowhere/x.jsonl"], "/nowhere/x.jsonl"),
        ("/etc/hostname", "/etc/hostname"),
        ("", "source: "),
        (5, "of type int"),
        ({"user_id": "a"}, "of type dict"),
        (lambda: None, "returned nothing"),
        (lambda: "text", "of type str"),
    ],
)
def test_sources_that_are_none(source: Any, words: str, refused: Callable[[Any], str]) -> None:
    """The message names the argument, and the file where there is one."""
    message = refused(make(PTENGINE, source=source))
    assert message.startswith("SourceError: source: ")
    assert words in message


def test_a_table_without_a_column(refused: Callable[[Any], str], tmp_path: Path) -> None:
    """A column that is needed, or that `fields` names, is named with the file."""
    path = tmp_path / "users.csv"
    path.write_text("id,plan\n1,free\n")
    for arguments, column in (({}, "user_id"), ({"fields": {"user_id": "id", "mood": "feeling"}}, "feeling")):
        message = refused(make(PTENGINE, source=str(path), **arguments))
        assert message.startswith("SourceError: ")
        assert str(path) in message
        assert f"'{column}'" in message


@pytest.mark.parametrize(
    ("vendor", "connection", "words"),
    [
        ("ptengine", NOTHING, ["is not defined", "ptengine_conn_id", "'ptengine'", "set AIRFLOW_CONN_"]),
        ("ptengine", {}, ["no password", "API key"]),
        ("thymia", {"password": " "}, ["no password", "API activation key"]),
        ("thymia", {"password": "a-key\n"}, ["the vendor's API activation key"]),
        ("gerosense", {"password": "k"}, ["no host"]),
        ("gerosense", {"password": "k", "host": "http://proxy.example.com"}, ["http would send", "allow_http"]),
        ("gerosense", {"password": "k", "host": "proxy.example.com", "schema": "http"}, ["http would send"]),
        ("gerosense", {"password": "k", "host": "ftp://proxy.example.com"}, ["scheme"]),
        ("gerosense", {"password": "k", "host": "https://u:p@proxy.example.com"}, ["more than an address"]),
        ("gerosense", {"password": "k", "host": "https://proxy.example.com:x"}, ["not a valid address"]),
        ("ptengine", {"password": "k", "extra": {"timeout": "soon"}}, ["'timeout'"]),
        ("ptengine", {"password": "k", "extra": {"verify": 5}}, ["'verify'"]),
        ("ptengine", {"password": "k", "extra": {"verify": "/nowhere/ca.pem"}}, ["'verify'"]),
        ("ptengine", {"password": "k", "extra": {"verify": __file__}}, ["'verify'"]),
        ("ptengine", {"password": "k", "extra": {"proxy": "socks5://x"}}, ["'proxy'"]),
        ("ptengine", {"password": "k", "extra": '{"proxy": "http://p:1",}'}, ["not valid JSON (line 1, column"]),
        ("ptengine", {"password": "k", "extra": {"client_cert": "/nowhere"}}, ["'client_cert'", "can't be read"]),
        ("ptengine", {"password": "Bearer k"}, ["'Bearer' before it", "API key and nothing else"]),
        ("ptengine", {"password": "k", "host": "https://localhost:1/v1/user/profiles"}, ["'/v1/user/profiles'"]),
    ],
)
def test_connections(
    vendor: str, connection: Any, words: list[str], refused: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the connection and what it lacks, never its password."""
    name = f"AIRFLOW_CONN_{vendor.upper()}_DEFAULT"
    if connection is NOTHING:
        monkeypatch.delenv(name)
    else:
        # No host of a vendor's own, whatever goes wrong: nothing listens here.
        host = {} if vendor == "gerosense" else {"host": "https://localhost:1"}
        monkeypatch.setenv(name, json.dumps({"conn_type": vendor, **host, **connection}))
    operator = {"thymia": THYMIA, "gerosense": GEROSENSE, "ptengine": PTENGINE}[vendor]
    message = refused(make(operator))
    assert message.startswith(f"ConnectionSettingsError: connection '{vendor}_default'")
    assert all(word in message for word in words), message
    assert "a-key" not in message


def test_an_extra_that_is_no_object(
    refused: Callable[[Any], str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection whose extra is a list is named too."""
    value = {"conn_type": "ptengine", "host": sandbox.url, "password": "k", "extra": "[1]"}
    monkeypatch.setenv("AIRFLOW_CONN_PTENGINE_DEFAULT", json.dumps(value))
    assert "connection 'ptengine_default': its extra must be a JSON object" in refused(make(PTENGINE))


def test_bad_arguments_are_no_matter_of_parsing(new_dag: Any, run_dag: Any, sandbox: Sandbox) -> None:
    """A DAG with nothing but mistakes parses and is stored; each task is red without a retry."""
    again: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(0)}
    dag: DAG
    with new_dag() as dag:
        ThymiaUploadOperator(task_id="a", upload_type=5, source=None, pii=[], data_schema=object(), **again)  # type: ignore[arg-type]
        GerosenseSamplesOperator(task_id="b", data_type=None, source=object(), fields=5, **again)  # type: ignore[arg-type]
        PtengineProfilesOperator(task_id="c", source=5, max_in_flight="many", **again)
        PtengineProfilesOperator(task_id="d", source=[], ptengine_conn_id="nowhere", **again)
    run = run_dag(dag)
    for task_id in "abcd":
        assert (run.states(task_id), run.tries(task_id)) == (["failed"], [1])
    assert sum(vendor.counts.requests for vendor in sandbox.vendors.values()) == 0


def test_a_source_that_broke_says_where_and_not_what(
    context: dict[str, Any], sandbox: Sandbox, marker: str, capfd: pytest.CaptureFixture[str], caplog: Any
) -> None:
    """An exception's message may quote a record, so neither it nor its chain is shown: its type and its place are."""

    def extract() -> list[dict[str, Any]]:
        return [{"user_id": float(marker)}]

    with pytest.raises(AirflowException, match=r"^SourceBrokeError: .*extract raised ValueError$") as caught:
        make(PTENGINE, source=extract).execute(context)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    log = caplog.text + "".join(capfd.readouterr())
    assert "The source broke with ValueError" in log
    assert f'File "{__file__}"' in log
    assert marker not in log
