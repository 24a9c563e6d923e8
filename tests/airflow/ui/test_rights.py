"""Nobody sees more than Airflow lets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_userdata.ui import plugin

LIST = "/userdata/api/uploads"
Ask = Callable[..., Any]
Shown = Callable[..., dict[str, Any]]


def routes() -> list[Any]:
    """Give all routes of the endpoints' app."""
    from airflow_provider_userdata.ui.api import app

    return list(app.routes)


def test_every_route_is_closed_to_nobody(ask: Ask, metadata: Any) -> None:
    """Airflow gives a plugin's routes no protection: 401 for each, whatever it is and whatever is there."""
    from fastapi.routing import APIRoute

    metadata.put()
    values = {"dag_id": "moods", "run_id:path": "r", "task_id": "upload", "map_index": "-1"}
    for route in routes():
        assert isinstance(route, APIRoute), f"{route} may be a mount, whose files anybody gets"
        path = route.path
        for name, value in values.items():
            path = path.replace("{" + name + "}", value)
        assert "{" not in path
        for method in route.methods:
            answer = ask(plugin.PREFIX + path, name=None, method=method)
            assert answer.status_code == 401, (method, path)
    assert len(routes()) == 3
    for path in (f"{LIST}?days=x", f"{LIST}/moods/r/upload/x"):
        assert ask(path, name=None).status_code == 401  # before anything is said of what was asked


def test_nothing_is_changed_by_them(ask: Ask) -> None:
    """They are for reading alone."""
    assert {method for route in routes() for method in route.methods} == {"GET"}
    assert ask(LIST, method="POST").status_code == 405


def test_a_session_that_is_no_longer_good(ask: Ask, application: Any) -> None:
    """A token that Airflow didn't sign opens nothing."""
    from fastapi.testclient import TestClient

    client = TestClient(application, headers={"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"})
    assert client.get(LIST).status_code == 403


def test_browsers_need_their_cookie_alone(ask: Ask, application: Any, metadata: Any) -> None:
    """The one that Airflow's login sets."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    metadata.put()
    token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="viktor", role="VIEWER"))
    client = TestClient(application, cookies={"_token": token})
    assert len(client.get(LIST).json()["uploads"]) == 1


def test_a_hidden_dag_is_nowhere(ask: Ask, metadata: Any) -> None:
    """Its uploads are absent from the list, by name too, and its own addresses are closed."""
    metadata.put("moods")
    metadata.put("hidden_moods")
    hidden = f"{LIST}/hidden_moods/r/upload/-1"
    assert {row["dag_id"] for row in ask(LIST).json()["uploads"]} == {"moods", "hidden_moods"}
    assert ask(hidden).json()["dag_id"] == "hidden_moods"

    seen = ask(LIST, "viktor")
    assert [row["dag_id"] for row in seen.json()["uploads"]] == ["moods"]
    assert "hidden" not in seen.text
    asked = ask(f"{LIST}?dag=hidden_moods", "viktor")
    assert (asked.status_code, asked.json()["uploads"], "hidden" in asked.text) == (200, [], False)
    assert ask(hidden, "viktor").status_code == 403
    assert ask(f"{LIST}/moods/r/upload/-1", "viktor").status_code == 200


def test_the_number_of_hidden_uploads_shows_nowhere(ask: Ask, metadata: Any) -> None:
    """They take none of the places of the list, and don't count as more."""
    for number in range(3):
        metadata.put("hidden_moods", task_id=f"t{number}")
    metadata.put("moods")
    answer = ask(f"{LIST}?limit=1", "viktor").json()
    assert ([row["dag_id"] for row in answer["uploads"]], answer["more"]) == (["moods"], False)


def test_a_dag_of_no_dag_gives_nothing(ask: Ask, metadata: Any) -> None:
    """`~` stands for any DAG in Airflow's own addresses: here for none."""
    metadata.put("hidden_moods")
    for path in (f"{LIST}/~/r/upload/-1", f"{LIST}/%7E/r/upload/-1"):
        answer = ask(path, "viktor")
        assert (answer.status_code, answer.json()) == (200, None)
    assert ask(f"{LIST}?dag_id=hidden_moods", "viktor").status_code == 403


def test_commands_are_for_those_who_may_act(ask: Ask, metadata: Any) -> None:
    """A viewer gets none; who may clear tasks does."""
    metadata.put()
    path = f"{LIST}/moods/r/upload/-1"
    assert ask(path, "viktor").json()["commands"] == []
    first = ask(path, "uma").json()["commands"][0]
    assert first["command"] == "airflow userdata rejects show moods upload --run-id r"


def test_the_bundle_is_for_all_who_are_logged_in(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds no data. Browsers keep it, for its address changes with it; asked for another version's, they don't."""
    from airflow_provider_userdata.ui import api
    from airflow_provider_userdata.ui.plugin import digest_of

    bundle = tmp_path / "main.js"
    monkeypatch.setattr(api, "BUNDLE", bundle)
    assert ask("/userdata/static/main.js", "viktor").status_code == 404
    bundle.write_text("export {};")
    answer = ask(f"/userdata/static/main.js?v={digest_of(b'export {};')}", "viktor")
    assert (answer.status_code, answer.text) == (200, "export {};")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    other = ask("/userdata/static/main.js?v=1", "viktor")
    assert (other.text, other.headers["cache-control"]) == ("export {};", "no-store")
    assert ask("/userdata/static/../api.py", "viktor").status_code == 404
