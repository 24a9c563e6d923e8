"""Describes the connection forms: in provider metadata for Airflow 3, by the hooks' methods for 2.11."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import registry

TIMEOUT = 60.0
"""How many seconds a request may take, unless the connection says otherwise."""


def _field(label: str, description: str, kind: str = "string", **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": [kind, "null"], **schema}}


_FIELDS = {
    "timeout": _field(
        "Timeout (s)",
        f"Seconds that a request may take in all. Default: {TIMEOUT:g}.",
        "number",
        exclusiveMinimum=0,
    ),
    "verify": _field("Verify TLS", "true (default), false, or the path of a file with the certificates to trust."),
    "client_cert": _field(
        "Client certificate", "Path of a PEM file with the certificate to show to a server that asks for one."
    ),
    "client_key": _field(
        "Client key", "Path of the certificate's private key, without a password. Default: in the certificate's file."
    ),
    "proxy": _field(
        "Proxy", "Address of an HTTP proxy. Default: the environment's HTTPS_PROXY and NO_PROXY.", format="password"
    ),
    "allow_http": _field(
        "Allow http", "Send the key and the data unencrypted to a remote host.", "boolean", default=False
    ),
}

EXTRA_NAMES = frozenset(_FIELDS)
"""The keys that a connection's extra may have."""


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
            "hidden-fields": ["login"],
            "relabeling": {"password": vendor.credential, "host": "Base URL", "schema": "Scheme (http or https)"},
            "placeholders": {"host": vendor.url},
        },
        "conn-fields": _FIELDS,
    }


def field_behaviour(name: str) -> dict[str, Any]:
    """Return how a form shows its standard fields, as Airflow 2.11 asks a hook for it."""
    behaviour = connection_type(name)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in behaviour.items()}


def form_widgets() -> dict[str, Any]:
    """Return a form's extra fields, as Airflow 2.11 asks a hook for them."""
    from wtforms import BooleanField, StringField

    return {
        name: (BooleanField if "boolean" in field["schema"]["type"] else StringField)(
            field["label"], description=field["description"]
        )
        for name, field in _FIELDS.items()
    }
