"""The connections' forms: what Airflow's interface is told of them, and whether it reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest

from airflow_provider_userdata.hooks import forms
from airflow_provider_userdata.hooks.base import VendorHook
from airflow_provider_userdata.provider_info import get_provider_info

Connect = Callable[..., VendorHook]
TYPES = get_provider_info()["connection-types"]
FIELDS: dict[str, Any] = TYPES[1]["conn-fields"]
"""GeroSense's: all that the others have, and one of its own."""
SHARED = [name for name in FIELDS if name != "api"]
READ = frozenset(
    {"const", "default", "description_md", "enum", "examples", "format", "items", "maximum", "maxLength", "minimum"}
    | {"minLength", "section", "title", "type", "values_display"}
)
"""The keys of a field's schema that Airflow's form reads; `default` becomes the field's value."""
FORMATS = frozenset({"date", "date-time", "duration", "time", "multiline", "password"})
STANDARD_FIELDS = frozenset({"description", "host", "login", "password", "port", "schema"})


def test_the_types_share_their_extra_fields() -> None:
    """And each is one that is read; only GeroSense has two APIs (G14)."""
    assert [kind["connection-type"] for kind in TYPES] == ["thymia", "gerosense", "ptengine"]
    assert all(kind["conn-fields"] == {name: FIELDS[name] for name in SHARED} for kind in (TYPES[0], TYPES[2]))
    assert list(FIELDS) == ["api", "timeout", "verify", "client_cert", "client_key", "proxy", "allow_http"]
    assert all(kind["conn-fields"] == forms.fields_of(kind["connection-type"]) for kind in TYPES)
    assert (FIELDS["api"]["schema"]["enum"], FIELDS["api"]["schema"]["default"]) == (["proxy", "direct"], "proxy")


@pytest.mark.parametrize("name", FIELDS)
def test_the_form_reads_all_that_a_field_says(name: str) -> None:
    """A limit in a key that it passes over would be none; each field has a label, help and one type, or is empty."""
    field = FIELDS[name]
    schema = field["schema"]
    assert field.keys() == {"label", "description", "schema"}
    assert field["label"]
    assert field["description"].endswith(".")
    assert schema.keys() <= READ
    assert "exclusiveMinimum" not in schema
    assert schema.get("format") in {None, *FORMATS}
    kind, *rest = schema["type"]
    assert kind in {"string", "number", "boolean"}
    assert rest == ["null"]


@pytest.mark.airflow_3
def test_airflows_form_reads_these_keys() -> None:
    """By its own bundle, which lists them where a field is empty."""
    bundles = (Path(airflow.__file__).parent / "ui/dist/assets").glob("index-*.js")
    lists = [found for file in bundles for found in re.findall(r"schema:\{(const:void 0[^}]*)\}", file.read_text())]
    assert lists, "Airflow's form says it in another way: look again at what it reads"
    known = set(re.findall(r"(\w+):", lists[0]))
    assert known == READ - {"default"}
    assert "exclusiveMinimum" not in known


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: str(kind["connection-type"]))
def test_standard_fields_are_helped_with(kind: dict[str, Any]) -> None:
    """Each that is shown has an example of what goes in, and those that vendors call otherwise another name."""
    behaviour = kind["ui-field-behaviour"]
    assert behaviour["hidden-fields"] == ([] if kind["connection-type"] == "gerosense" else ["login"])
    assert {"host", "password", "port", "schema"} <= behaviour["placeholders"].keys()
    assert behaviour["placeholders"].keys() <= STANDARD_FIELDS | FIELDS.keys()
    assert behaviour["relabeling"].keys() <= STANDARD_FIELDS
    assert behaviour["placeholders"]["host"].startswith("https://")
    assert behaviour["relabeling"]["password"] in behaviour["placeholders"]["password"]


@pytest.mark.airflow_3
def test_the_forms_reach_the_interface() -> None:
    """As Airflow's API server gives them to the browser."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    served: dict[str, Any] = {str(form.connection_type): form for form in HookMetaService.hook_meta_data()}
    words = {"thymia": "API activation key", "gerosense": "Bearer token", "ptengine": "API key"}
    for name, word in words.items():
        form = served[name].model_dump()
        standard, extra = form["standard_fields"], form["extra_fields"]
        assert standard["password"]["title"] == word
        assert bool(standard["login"]["hidden"]) is (name != "gerosense")
        assert standard["host"]["placeholder"].startswith("https://")
        assert list(extra) == (list(FIELDS) if name == "gerosense" else SHARED)
        assert extra["timeout"]["schema"]["minimum"] == 1
        assert extra["verify"]["schema"]["examples"] == ["true", "false"]
        assert extra["proxy"]["schema"]["format"] == "password"
        assert all(extra[field]["description"] == FIELDS[field]["description"] for field in extra)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("timeout", value) for value in (1, 1.5, 60, 86400, None)),
        *(("verify", value) for value in ("true", "false", None)),
        *(("allow_http", value) for value in (True, False, None)),
        ("proxy", "http://me:secret@127.0.0.1:3128"),
    ],
)
def test_what_a_form_takes_works(connect: Connect, name: str, value: object) -> None:
    """The hook takes what the form does."""
    jsonschema.validate(value, FIELDS[name]["schema"])
    connect("ptengine", extra={name: value}).endpoint()


@pytest.mark.parametrize(("name", "value"), [("timeout", 0), ("timeout", -1), ("allow_http", 1), ("verify", 1)])
def test_what_a_form_refuses(connect: Connect, name: str, value: object) -> None:
    """The form, and *Test*: there are other ways to define a connection."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, FIELDS[name]["schema"])
    hook = connect("ptengine", extra={name: value}, host="http://127.0.0.1:1")
    assert f"'{name}' in its extra" in hook.test_connection()[1]


@pytest.fixture
def form_libraries(monkeypatch: pytest.MonkeyPatch) -> type[Exception]:
    """Put stand-ins in the place of the libraries of Airflow 2's forms, with which Airflow 3 doesn't come."""
    import sys
    from types import SimpleNamespace

    class Refused(Exception):  # noqa: N818 - WTForms calls it an error, and this stands for it
        """A field's value was refused."""

    def field(kind: str) -> Callable[..., Any]:
        return lambda label, checks=(), description="", widget=None: SimpleNamespace(
            kind=kind, label=label, checks=checks, description=description, widget=widget
        )

    text, switch = field("text"), field("switch")
    monkeypatch.setitem(sys.modules, "wtforms", SimpleNamespace(StringField=text, BooleanField=switch))
    monkeypatch.setitem(sys.modules, "wtforms.validators", SimpleNamespace(ValidationError=Refused))
    monkeypatch.setitem(sys.modules, "flask_appbuilder", SimpleNamespace())
    widgets = SimpleNamespace(BS3TextFieldWidget=lambda: "text box")
    monkeypatch.setitem(sys.modules, "flask_appbuilder.fieldwidgets", widgets)
    return Refused


def test_the_forms_of_earlier_versions_say_the_same(hooks: Any, form_libraries: type[Exception]) -> None:
    """They ask the hook, and look only at what its class itself defines."""
    for kind in TYPES:
        hook = hooks[kind["connection-type"]]
        assert {"get_ui_field_behaviour", "get_connection_form_widgets"} <= vars(hook).keys()
        behaviour = hook.get_ui_field_behaviour()
        assert {name.replace("_", "-"): value for name, value in behaviour.items()} == kind["ui-field-behaviour"]
        widgets = hook.get_connection_form_widgets()
        assert {name: (field.label, field.description) for name, field in widgets.items()} == {
            name: (field["label"], field["description"]) for name, field in kind["conn-fields"].items()
        }
        assert [name for name, field in widgets.items() if field.kind == "switch"] == ["allow_http"]


@pytest.mark.airflow_3
def test_airflow_3_0_understands_the_same_methods(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to 3.1, it calls them with stand-ins of its own for the libraries of Airflow 2's forms."""
    import sys
    from unittest.mock import MagicMock

    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    for name in ("wtforms", "wtforms.validators", "flask_appbuilder", "flask_appbuilder.fieldwidgets"):
        monkeypatch.setitem(sys.modules, name, MagicMock())
    wtforms: Any = sys.modules["wtforms"]
    wtforms.StringField, wtforms.BooleanField = HookMetaService.MockStringField, HookMetaService.MockBooleanField

    for name, field in hooks["thymia"].get_connection_form_widgets().items():
        shown = field.param.dump()
        assert shown["description"] == FIELDS[name]["description"]
        assert shown["schema"]["title"] == FIELDS[name]["label"]
        assert shown["schema"]["type"] == ["boolean" if name == "allow_http" else "string", "null"]


@pytest.mark.parametrize(
    ("text", "taken"), [("", True), (None, True), ("0.5", True), (" 60 ", True), ("0", False), ("-1", False)]
)
def test_airflow_2_checks_the_timeout(hooks: Any, form_libraries: type[Exception], text: Any, taken: bool) -> None:
    """Its fields have no limits, but take a function that refuses."""
    from types import SimpleNamespace

    field = hooks["thymia"].get_connection_form_widgets()["timeout"]
    (check,) = field.checks
    if taken:
        check(None, SimpleNamespace(data=text))
        return
    with pytest.raises(form_libraries, match="a number of seconds above 0"):
        check(None, SimpleNamespace(data=text))


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "https://api.thymia.ai"),
        ({"host": "https://us.api.thymia.ai"}, "https://us.api.thymia.ai"),
        ({"host": "https://proxy.example/own/path/"}, "https://proxy.example/own/path"),
        ({"host": "proxy.example/own/path"}, "https://proxy.example/own/path"),
        ({"host": "https://proxy.example:8443"}, "https://proxy.example:8443"),
        ({"host": "proxy.example", "port": 8443, "schema": "https"}, "https://proxy.example:8443"),
        ({"host": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"host": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"host": "127.0.0.1", "port": 8000, "schema": "http"}, "http://127.0.0.1:8000"),
        ({"host": "http://proxy.example", "extra": {"allow_http": True, "timeout": None}}, "http://proxy.example"),
    ],
)
def test_a_form_under_test(hooks: Any, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], url: str) -> None:
    """Airflow's *Test* writes what the form holds as a URI, under a random name, and the hook reads the same."""
    from airflow.models import Connection

    key = "a/key+with:signs@in%it"
    extra = json.dumps(fields.pop("extra", {"verify": None, "timeout": 5, "allow_http": False}))
    form = Connection(conn_id="x7Gh2kLp", conn_type="thymia", password=key, extra=extra, **fields)
    monkeypatch.setenv("AIRFLOW_CONN_X7GH2KLP", form.get_uri())

    endpoint = hooks["thymia"]("x7Gh2kLp").endpoint()

    assert endpoint.url == url
    assert endpoint.headers == {"x-api-key": key}
