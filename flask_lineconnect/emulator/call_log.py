"""The log of API calls: for tests that ask what was sent, and for developers who wonder.

It keeps what helps to find a mistake and nothing that would open a door: values of tokens, codes
and secrets never enter it.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import parse_qsl
from urllib.parse import urlencode

from flask import Flask
from flask import g
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from .own_requests import is_own_path
from .platform import platform
from .request_ids import request_id

#: Bytes of a body that are kept.
MAX_BODY = 10_000
MASK = "***"
#: Names of what lets somebody in; also ``replyToken``, ``id_token_hint``, ``channelSecret``.
_SECRET_NAME = re.compile(
    r"token(_hint|s)?$|secret$|^code$|^code_verifier$|assertion$|password$|^(ticket|ott|msit)$",
    re.I,
)
#: Names of that shape which hold no secret.
_HARMLESS = {"quoteToken", "token_type"}


def register(app: Flask) -> None:
    """Give every answer its request id, and note every call of LINE's API.

    To be registered first: what it notes is then what all others made of the answer.
    """
    app.before_request(_begin)
    app.after_request(_note)


def masked(body: bytes, content_type: str) -> str:
    """Return a body for the log: without secrets, and shortened."""
    if content_type == "application/json":
        text = _masked_json(body)
    elif content_type == "application/x-www-form-urlencoded":
        text = _masked_form(body.decode("utf-8", "replace"))
    elif body:
        text = f"({len(body):,} bytes of {content_type or 'no type'})"
    else:
        text = ""
    return _bounded(text)


def _begin() -> None:
    g.call_began = time.monotonic()
    try:
        # Read now: whoever reads the form later gets it from here, and not the other way round.
        g.call_body = request.get_data()
    except RequestEntityTooLarge:
        g.call_body = b""


def _note(response: Response) -> Response:
    response.headers["x-line-request-id"] = request_id()
    if is_own_path(request.path):
        return response
    line = platform()
    record: dict[str, Any] = {
        "at": line.clock.now().isoformat(),
        "method": request.method,
        "path": request.path,
        "query": _bounded(_masked_form(request.query_string.decode("utf-8", "replace"))),
        "status": response.status_code,
        "content_type": request.mimetype,
        "has_token": "Authorization" in request.headers,
        "request": masked(g.get("call_body", b""), request.mimetype),
        "response": _response_text(response),
        "request_id": request_id(),
        "milliseconds": int((time.monotonic() - g.get("call_began", time.monotonic())) * 1000),
    }
    with line.lock:
        # Counted on, so that `since` holds when the oldest calls have been dropped.
        record["number"] = line.calls[-1]["number"] + 1 if line.calls else 1
        line.calls.append(record)
    return response


def _response_text(response: Response) -> str:
    # Pages, scripts and images are long and say little; a redirect's address is full of codes.
    if response.mimetype != "application/json" or response.is_streamed:
        return ""
    return masked(response.get_data(), "application/json")


def _masked_json(body: bytes) -> str:
    try:
        return json.dumps(_without_secrets(json.loads(body)), ensure_ascii=False)
    except (ValueError, RecursionError):
        # What can't be read can't be masked either.
        return f"({len(body):,} bytes that are no JSON)" if body else ""


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MASK if _is_secret(name, inner) else _without_secrets(inner)
            for name, inner in value.items()
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value


def _is_secret(name: str, value: Any) -> bool:
    is_text = isinstance(value, str) and bool(value)
    return is_text and name not in _HARMLESS and bool(_SECRET_NAME.search(name))


def _masked_form(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    return urlencode(
        [(name, MASK if _is_secret(name, value) else value) for name, value in pairs],
        safe="*/:,",
    )


def _bounded(text: str) -> str:
    # Halves of surrogate pairs, which JSON may smuggle in, could not be sent on.
    raw = text.encode("utf-8", "replace")
    return raw[:MAX_BODY].decode("utf-8", "ignore") + (MASK if len(raw) > MAX_BODY else "")
