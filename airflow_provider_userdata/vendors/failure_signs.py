"""Signs of failure in a JSON answer whose status means success (G10): a short, fixed list.

`docs/rules.md` has the list in words.
"""

from __future__ import annotations

import re
from typing import Any

_WENT_WELL = frozenset({"success", "ok"})
"""Keys that are a sign if their value means no."""
_WENT_WRONG = frozenset({"error", "errors", "detail", "exception", "failed", "failures", "rejected"})
"""Keys that are a sign if their value is not empty."""
_STATUSES = frozenset({"status", "state", "result", "code", "statuscode"})
"""Keys that are a sign if their value is an HTTP status from 400 on, or contains a word of failure."""
_MESSAGES = frozenset({"message", "msg", "title"})
"""Keys that are a sign if their text begins with a word of failure. Later in the text it may be negated."""
_NO = (False, "false", "no")
_HTTP_ERROR = re.compile(r"\s*[45][0-9]{2}\b")
_WORD = re.compile(
    r"(?i)(?<!\b0 )(?<!\bno )(?<!\bwithout )(?:access |permission )?"
    r"(?:error|fail|fault|invalid|denied|unauthori[sz]ed|forbidden|expired|reject|refused|unavailable|maintenance)"
)


def sign_of_failure(body: Any) -> str | None:
    """Return the sign of failure in a decoded answer: a listed key, or the answer itself; None if there is none."""
    if body is False:
        return "`false`"
    if isinstance(body, str):
        return "a failure" if _WORD.search(body) else None
    for part in body if isinstance(body, list) else [body]:
        if isinstance(part, dict):
            for key, value in part.items():
                name = key.lower().replace("_", "").replace("-", "")
                if _is_sign(name, value):
                    return f"`{name}`"
    return None


def _is_sign(name: str, value: Any) -> bool:
    text = value.strip().lower() if isinstance(value, str) else value
    if name in _WENT_WELL:
        return text in _NO
    if name in _WENT_WRONG:
        return bool(text)
    if name in _STATUSES:
        return text is False or bool(_HTTP_ERROR.match(str(text)) or (isinstance(text, str) and _WORD.search(text)))
    return name in _MESSAGES and isinstance(text, str) and bool(_WORD.match(text))
