"""The connection forms, stated once: the provider's metadata for Airflow 3, the hooks' methods for 2.11."""

from __future__ import annotations

from typing import Any

from airflow_provider_userdata import registry

TIMEOUT = 60.0
"""Seconds that a request may take, where a connection says nothing."""

_FIELDS: dict[str, dict[str, Any]] = {
    "timeout": {
        "label": "Timeout (s)",
        "description": f"Seconds that a request may take in all. Default: {TIMEOUT:g}.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "verify": {
        "label": "Verify TLS",
        "description": "true (default), false, or the path of a file with the certificates to trust.",
        "schema": {"type": ["string", "null"]},
    },
    "client_cert": {
        "label": "Client certificate",
        "description": "Path of a PEM file with the certificate to show to a server that asks for one.",
        "schema": {"type": ["string", "null"]},
    },
    "client_key": {
        "label": "Client key",
        "description": "Path of its private key, without a password. Default: in the certificate's file.",
        "schema": {"type": ["string", "null"]},
    },
    "proxy": {
        "label": "Proxy",
        "description": "Address of an HTTP proxy. Default: what HTTPS_PROXY and NO_PROXY say.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "allow_http": {
        "label": "Allow http",
        "description": "Send the key and the data unencrypted to a host that is not this machine.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
}

EXTRA_NAMES = frozenset(_FIELDS)
"""What a connection's extra may hold."""


def connection_type(name: str) -> dict[str, Any]:
    """Describe a connection type as Airflow's provider metadata wants it.

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


def connection_types() -> list[dict[str, Any]]:
    """Describe all connection types."""
    return [connection_type(vendor.name) for vendor in registry.VENDORS]


def field_behaviour(name: str) -> dict[str, Any]:
    """Describe a form's standard fields as Airflow 2.11 asks a hook for them."""
    behaviour = connection_type(name)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in behaviour.items()}


def form_widgets() -> dict[str, Any]:
    """Build a form's extra fields as Airflow 2.11 asks a hook for them."""
    from wtforms import BooleanField, StringField

    return {
        name: (BooleanField if "boolean" in field["schema"]["type"] else StringField)(
            field["label"], description=field["description"]
        )
        for name, field in _FIELDS.items()
    }
