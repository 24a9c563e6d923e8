"""The vendors that this package uploads to, one line each.

Airflow reads this at every start, so nothing is imported here: each part is named by its path, and loaded when needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

_PACKAGE = __name__.rpartition(".")[0]


class Choice(NamedTuple):
    """A field of a connection's form that is only one vendor's, and has one of some words.

    :param name: its key in the connection's extra.
    :param label: its name in the form.
    :param help: what it does.
    :param words: what it may be; the first one is the default.
    """

    name: str
    label: str
    help: str
    words: tuple[str, ...]


class Registration(NamedTuple):
    """A vendor, and the paths of its parts.

    :param name: the connection type, such as `thymia`.
    :param title: the vendor's own spelling of its name, such as `Thymia`.
    :param contract: the path of its `Vendor`.
    :param hook: the path of its hook.
    :param operator: the path of its operator.
    :param task: the name of its decorator, as in `@task.thymia_upload`.
    :param decorator: the path of that decorator.
    :param fake: the path of its `FakeVendor` in the sandbox.
    :param credential: what the connection's password is, such as `API key`.
    :param url: the placeholder of the connection's host.
    :param login: what the connection's login is; None where it is not used.
    :param choices: the fields of the connection's form that others don't have.
    """

    name: str
    title: str
    contract: str
    hook: str
    operator: str
    task: str
    decorator: str
    fake: str
    credential: str
    url: str
    login: str | None = None
    choices: tuple[Choice, ...] = ()


def _own(name: str, title: str, task: str, credential: str, url: str, **more: Any) -> Registration:
    """Register a vendor whose parts stand in this package's rooms, under names that follow from its own."""
    return Registration(
        name=name,
        title=title,
        contract=f"{_PACKAGE}.vendors.{name}.{title}",
        hook=f"{_PACKAGE}.hooks.{name}.{name.capitalize()}Hook",
        operator=f"{_PACKAGE}.operators.{name}.{task.title().replace('_', '')}Operator",
        task=task,
        decorator=f"{_PACKAGE}.decorators.{name}.{task}_task",
        fake=f"{_PACKAGE}.sandbox.{name}.Fake{name.capitalize()}",
        credential=credential,
        url=url,
        **more,
    )


VENDORS = [
    _own("thymia", "Thymia", "thymia_upload", "API activation key", "https://api.thymia.ai"),
    _own(
        "gerosense",
        "GeroSense",
        "gerosense_samples",
        "Bearer token",
        "https://your-api-proxy.example.com",
        login="Login (direct API)",
        choices=(
            Choice(
                "api",
                "API",
                "proxy: your own API proxy, with a bearer token. direct: GeroSense's API for many users; login and "
                "password are those that GeroSense gave you, and the base URL may be empty.",
                ("proxy", "direct"),
            ),
        ),
    ),
    _own("ptengine", "Ptengine", "ptengine_profiles", "API key", "https://api.ptengine.com"),
]
"""Forms, provider metadata, decorators, the sandbox and the command line are derived from this list."""


def registration(name: str) -> Registration:
    """Return the registration of a vendor.

    :param name: the connection type.
    :raises KeyError: if there is no such vendor.
    """
    return {vendor.name: vendor for vendor in VENDORS}[name]


def titles() -> str:
    """Return all vendors' titles as one text: `Thymia, GeroSense and Ptengine`."""
    return _listed([vendor.title for vendor in VENDORS], "and")


def names() -> str:
    """Return all vendors' connection types as one text: `thymia, gerosense or ptengine`."""
    return _listed([vendor.name for vendor in VENDORS], "or")


def contracts() -> Iterator[Any]:
    """Load and return each vendor's contract class."""
    return (_loaded(vendor.contract) for vendor in VENDORS)


def fakes() -> Iterator[Any]:
    """Load and return each vendor's class in the sandbox."""
    return (_loaded(vendor.fake) for vendor in VENDORS)


def _loaded(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)  # `pkgutil.resolve_name` would hide why an import fails


def _listed(words: list[str], conjunction: str) -> str:
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
