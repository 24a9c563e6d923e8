"""Describes the connection forms: in provider metadata from Airflow 3.2 on, by the hooks' methods before."""

from __future__ import annotations

import math
from typing import Any

from airflow_provider_userdata import registry

TIMEOUT = 60.0
"""How many seconds a request may take, unless the connection says otherwise."""


def _field(label: str, description: str, kind: str = "string", **schema: Any) -> dict[str, Any]:
    """Describe a field of the extra.

    :param kind: its JSON type; it may also be empty.
    :param schema: more of its JSON Schema. Airflow's form passes over the keys that it doesn't know, without a word.
    """
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


_FIELDS = {
    "timeout": _field(
        "Timeout (s)",
        f"Seconds that a request may take in all. Empty: {TIMEOUT:g}.",
        "number",
        minimum=1,  # `exclusiveMinimum: 0` would be the hook's own limit, and the form doesn't read it
    ),
    "verify": _field(
        "Verify TLS",
        "true, false, or the path of a file with the certificates to trust, on each machine that runs tasks. "
        "Empty: true. With false, anybody between here and the vendor could read the key and the data.",
        examples=["true", "false"],
    ),
    "client_cert": _field(
        "Client certificate",
        "Path of a PEM file with the certificate to show to a server that asks for one. Empty: none.",
    ),
    "client_key": _field(
        "Client key",
        "Path of a PEM file with the client certificate's private key, without a password. "
        "Empty: it is in the certificate's file.",
    ),
    "proxy": _field(
        "Proxy",
        "Address of an HTTP proxy: http://host:port or http://user:password@host:port. "
        "Empty: the environment's HTTPS_PROXY and NO_PROXY apply.",
        format="password",
    ),
    "allow_http": _field(
        "Allow http",
        "Permit a base URL with http on another machine. The key and the data are then sent unencrypted.",
        "boolean",
        default=False,
    ),
}

_EXTRA_PLACEHOLDERS = {
    "timeout": f"{TIMEOUT:g}",
    "verify": "true",
    "client_cert": "/path/to/client.pem",
    "client_key": "/path/to/client.key",
    "proxy": "http://user:password@host:port",
}
"""What empty fields of the extra show. Only Airflow 2's form has a place for it."""


def fields_of(name: str) -> dict[str, dict[str, Any]]:
    """Return the fields of a connection's extra, by their keys.

    :param name: the connection type, such as `thymia`.
    """
    choices = registry.registration(name).choices
    own = {
        choice.name: _field(choice.label, choice.help, enum=list(choice.words), default=choice.words[0])
        for choice in choices
    }
    return {**own, **_FIELDS}


def connection_type(name: str) -> dict[str, Any]:
    """Return a connection type in the form of Airflow's provider metadata.

    :param name: the connection type, such as `thymia`.
    """
    vendor = registry.registration(name)
    return {
        "connection-type": name,
        "hook-class-name": vendor.hook,
        "hook-name": vendor.title,
        "ui-field-behaviour": {
            "hidden-fields": [] if vendor.login else ["login"],
            "relabeling": {
                **({"login": vendor.login} if vendor.login else {}),
                "password": vendor.credential,
                "host": "Base URL",
                "port": "Port",
                "schema": "Scheme",
            },
            "placeholders": {
                "host": vendor.url,
                **({"login": "empty, unless the vendor gave you a login"} if vendor.login else {}),
                "password": f"the {vendor.credential} alone, without quotes or 'Bearer'",
                "port": "if the base URL has none, such as 443",
                "schema": "if the base URL has none: https, or http",
                **_EXTRA_PLACEHOLDERS,
            },
        },
        "conn-fields": fields_of(name),
    }


def field_behaviour(name: str) -> dict[str, Any]:
    """Return how a form shows its standard fields, as Airflow before 3.2 asks a hook for it."""
    behaviour = connection_type(name)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in behaviour.items()}


def form_widgets(name: str) -> dict[str, Any]:
    """Return a form's extra fields, as Airflow before 3.2 asks a hook for them.

    A proxy's address is a plain field: Airflow 2 shows a password field empty, and saving the form would clear it.
    """
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms import BooleanField, StringField

    widgets: dict[str, Any] = {}
    for key, field in fields_of(name).items():
        label, description, types = field["label"], field["description"], field["schema"]["type"]
        if "boolean" in types:
            widgets[key] = BooleanField(label, description=description)
        else:
            checks = [_checked_number] if "number" in types else []
            widgets[key] = StringField(label, checks, description=description, widget=BS3TextFieldWidget())
    return widgets


def _checked_number(_: object, field: Any) -> None:
    """Refuse a text that is no number above 0, in Airflow 2's form."""
    from wtforms.validators import ValidationError

    text = str(field.data or "").strip()
    if text and not is_duration(text):
        raise ValidationError("must be a number of seconds above 0")


def is_duration(value: object) -> bool:
    """Return whether a value, or its text, is a finite number above 0."""
    try:
        return not isinstance(value, bool) and 0 < float(value) < math.inf  # type: ignore[arg-type]  # raises for others
    except (TypeError, ValueError):
        return False
