"""Styles and scripts under addresses that change with their content, so that they never expire.

The digest of all of them stands in the path and not in a query, so that one module's ``import`` of
another stays within the same version.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import request
from flask import send_from_directory
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as BaseResponse

#: Name of the endpoint, and the folder that it serves.
FOLDERS = {
    "static": Path(str(files("flask_lineconnect"))) / "static",
    "liff_static": Path(str(files("flask_lineconnect.liff_pages"))) / "static",
}
RULES = {"static": "/static", "liff_static": "/liff/static"}
#: Style sheets of the folder ``static`` that go before another one: a page inside LINE asks for one
#: file where the others ask for two, and no old phone waits for three.
_BEFORE = {"liff.css": ("buttons.css", "pages.css")}
#: What is worth packing; pictures are packed already. Hosts differ in what they call a script.
_TEXTS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
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
        headers.remove("Set-Cookie")
        headers["Vary"] = "Accept-Encoding"
        return headers


def register(blueprint: Blueprint, app: Flask) -> None:
    """Serve the folders; ``url_for`` puts the version in by itself."""
    kept = _digest()

    def version_now() -> str:
        # While somebody works on them, the files change at any moment.
        return _digest() if app.debug else kept

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        prefix, _, name = endpoint.rpartition(".")
        if prefix == blueprint.name and name in FOLDERS:
            values.setdefault("version", version_now())

    app.url_defaults(add_version)
    # Packing takes its time.
    packed = lru_cache(maxsize=64)(_pack)
    for name, rule in RULES.items():
        view = _serve(FOLDERS[name], version_now, packed)
        path = f"{rule}/<version>/<path:filename>"
        blueprint.add_url_rule(path, endpoint=name, view_func=view)


def _serve(
    folder: Path, version_now: Callable[[], str], packed: Callable[[Path, str], bytes]
) -> Any:
    def serve(version: str, filename: str) -> BaseResponse:
        """Serve a file; another version's address, of a deployment on its way, is not kept."""
        found = safe_join(str(folder), filename)
        if found is None or not Path(found).is_file():
            raise NotFound
        path, current = Path(found), version_now()
        if path.suffix not in _TEXTS:
            response: BaseResponse = Asset.force_type(send_from_directory(folder, filename))
        elif request.accept_encodings.quality("gzip") > 0:
            response = Asset(packed(path, current), mimetype=_TEXTS[path.suffix])
            response.headers["Content-Encoding"] = "gzip"
        else:
            response = Asset(_text(path), mimetype=_TEXTS[path.suffix])
        response.headers["Cache-Control"] = _FOR_EVER if version == current else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return serve


def _pack(path: Path, _version: str) -> bytes:
    return gzip.compress(_text(path), mtime=0)


def _text(path: Path) -> bytes:
    """Return a file of text as it is served."""
    before = (FOLDERS["static"] / name for name in _BEFORE.get(path.name, ()))
    return b"".join(
        script(one) if one.suffix == ".js" else one.read_bytes() for one in (*before, path)
    )


def _digest() -> str:
    """Return the digest of all files of all folders, as they are served."""
    digest = hashlib.sha256()
    for name, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                body = _text(path) if path.suffix in _TEXTS else path.read_bytes()
                digest.update(f"{name}/{path.relative_to(folder)}".encode() + b"\0" + body)
    return digest.hexdigest()[:_DIGITS]
