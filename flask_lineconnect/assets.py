"""Styles and scripts under addresses that change with their content, so that they never expire.

The digest of a folder stands in the path and not in a query, so that one module's ``import`` of
another stays within the same version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import send_from_directory
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as BaseResponse

#: Name of the endpoint, and the folder that it serves.
FOLDERS = {
    "static": Path(__file__).with_name("static"),
    "liff_static": Path(str(files("flask_lineconnect.liff_pages"))) / "static",
}
RULES = {"static": "/static", "liff_static": "/liff/static"}
_COMMENT = re.compile(rb"^[ \t]*(//.*|/\*\*.*\*/)\n", re.MULTILINE)
#: A year, the longest that RFC 9111 has in mind; ``immutable`` is RFC 8246.
_FOR_EVER = "public, max-age=31536000, immutable"
#: Of the SHA-256, in hexadecimal digits; an accident is all that could collide.
_DIGITS = 12


def script(path: Path) -> bytes:
    """Return a script without the lines that are comments: those are for readers of the source."""
    return _COMMENT.sub(b"", path.read_bytes())


class Asset(Response):
    """An answer that is the same for everybody, whatever looks at the session on its way out.

    With ``Vary: Cookie`` the browser would fetch all styles anew after a login.
    """

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the headers without those that sessions add."""
        headers = super().get_wsgi_headers(environ)
        for name in ("Vary", "Set-Cookie"):
            headers.remove(name)
        return headers


def register(blueprint: Blueprint, app: Flask) -> None:
    """Serve the folders; ``url_for`` puts the version in by itself."""
    kept = {name: _digest(folder) for name, folder in FOLDERS.items()}

    def version_of(name: str) -> str:
        # While somebody works on them, the files change at any moment.
        return _digest(FOLDERS[name]) if app.debug else kept[name]

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        prefix, _, name = endpoint.rpartition(".")
        if prefix == blueprint.name and name in FOLDERS:
            values.setdefault("version", version_of(name))

    app.url_defaults(add_version)
    for name, rule in RULES.items():
        view = _serve(FOLDERS[name], partial(version_of, name))
        path = f"{rule}/<version>/<path:filename>"
        blueprint.add_url_rule(path, endpoint=name, view_func=view)


def _serve(folder: Path, version_now: Callable[[], str]) -> Any:
    def serve(version: str, filename: str) -> BaseResponse:
        """Serve a file; another version's address, of a deployment on its way, is not kept."""
        response = _answer(folder, filename)
        is_lasting = version == version_now()
        response.headers["Cache-Control"] = _FOR_EVER if is_lasting else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return serve


def _answer(folder: Path, filename: str) -> BaseResponse:
    if not filename.endswith(".js"):
        return Asset.force_type(send_from_directory(folder, filename))
    path = safe_join(str(folder), filename)
    if path is None or not Path(path).is_file():
        raise NotFound
    return Asset(script(Path(path)), mimetype="text/javascript")


def _digest(folder: Path) -> str:
    """Return the digest of all files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:_DIGITS]
