"""Our pages keep their headers, whatever other extensions put on every answer of the app.

Flask-Talisman and many shops set a Content-Security-Policy on everything, after us. Under it LINE's
program would not load, and no customer would see why; so ours are put back at the very end.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from flask import Flask
from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

_KEY = "flask_lineconnect.headers"


def keep(headers: Mapping[str, str | None]) -> None:
    """Let the answer to this request go out with these headers; ``None``: without that one."""
    request.environ[_KEY] = headers


def watch(app: Flask) -> None:
    """Put back what :func:`keep` was told, after everything else that the app does."""
    app.wsgi_app = _PutBack(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way


class _PutBack:
    """The WSGI application around Flask's own."""

    def __init__(self, wsgi_app: WSGIApplication):
        self._wsgi_app = wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            ours = environ.get(_KEY)
            return start_response(status, _with(headers, ours) if ours else headers, *rest)

        return self._wsgi_app(environ, start)


def _with(headers: list[tuple[str, str]], ours: Mapping[str, str | None]) -> list[tuple[str, str]]:
    names = {name.lower() for name in ours}
    others = [(name, value) for name, value in headers if name.lower() not in names]
    return others + [(name, value) for name, value in ours.items() if value is not None]
