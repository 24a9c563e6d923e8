"""Tries a key by a request that can only be refused, because it carries no data (G13, P12)."""

from __future__ import annotations

import requests

from airflow_provider_userdata.hooks.failures import answered, barred, is_page

_BAD_KEY = frozenset({401, 403})


def try_key(session: requests.Session, url: str, body: object, *, title: str, credential: str) -> tuple[bool, str]:
    """Send the request once; return whether the key is good, and a sentence about it.

    A 400 means that the vendor took the key and refused the rest; 401 and 403 that it didn't take the key. From any
    other answer nothing follows, nor from a 400 of a proxy: then the key doesn't count as good.

    :param session: carries the key.
    :param body: lacks what the vendor requires, and names nothing that it could store or change.
    :param title: the vendor's name.
    :param credential: the vendor's name for the key.
    """
    response = session.post(url, json=body)
    status = response.status_code
    if status == 400 and not barred(response) and not is_page(response):
        return True, f"{title} accepts the {credential}"
    said = f"{title} {answered(response)}"
    return False, said if status in _BAD_KEY else f"The {credential} could not be tried: {said}"
