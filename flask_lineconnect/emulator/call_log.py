"""The log of all API calls: for the inspector, and for tests that ask what was sent."""

from __future__ import annotations

import re
import time
from typing import Any

from flask import Flask
from flask import g
from flask import request
from werkzeug.wrappers import Response

from .platform import platform
from .sending import new_request_id

#: Our own pages, which are no part of LINE.
_OWN = ("/_emulator", "/phone", "/inspector", "/static", "/oauth2/v2.1/_")
#: Longest body that is kept, in characters.
MAX_BODY = 10_000
_SECRET = re.compile(
    r"((?:access_token|refresh_token|id_token|client_secret|code|code_verifier|contextToken"
    r"|userAccessToken)[\"']?\s*[=:]\s*[\"']?)[^\"'&\s,}]+"
)


def register(app: Flask) -> None:
    """Give every answer a request id, and note every call."""
    app.before_request(_begin)
    app.after_request(_note)


def masked(text: str) -> str:
    """Return a text without tokens, codes and secrets."""
    return _SECRET.sub(r"\1…", text)[:MAX_BODY]


def _begin() -> None:
    g.request_id = new_request_id()
    g.began = time.monotonic()


def _note(response: Response) -> Response:
    response.headers["x-line-request-id"] = g.request_id
    if request.path.startswith(_OWN) or request.path == "/":
        return response
    record: dict[str, Any] = {
        "at": platform().clock.now().isoformat(),
        "method": request.method,
        "path": request.path,
        "query": masked(request.query_string.decode("utf-8", "replace")),
        "request": masked(_request_text()),
        "status": response.status_code,
        "response": masked(_response_text(response)),
        "request_id": g.request_id,
        "milliseconds": int((time.monotonic() - g.began) * 1000),
    }
    platform().calls.append(record)
    return response


def _request_text() -> str:
    if request.mimetype.startswith("image/"):
        return f"({request.content_length} bytes)"
    if request.form:
        return "&".join(f"{name}={value}" for name, value in request.form.items())
    return request.get_data(as_text=True)


def _response_text(response: Response) -> str:
    return response.get_data(as_text=True) if response.mimetype == "application/json" else ""
