"""The address of LINE's LIFF SDK, at which the emulator serves its stand-in, and what it reads."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask import jsonify
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

#: Languages for which LINE's SDK finds texts.
LANGUAGES = ("en", "ja")
_PARTS = Path(__file__).parents[1] / "static" / "sdk"


def register(app: Flask) -> None:
    """Add the script, and the texts that LINE's own SDK loads."""
    app.add_url_rule("/liff/edge/2/sdk.js", "liff_sdk.sdk", sdk)
    app.add_url_rule("/xlt/manifest.json", "liff_sdk.languages", languages)
    app.add_url_rule("/xlt/<language>.json", "liff_sdk.texts", texts)


def sdk() -> Response:
    """Serve the stand-in for LINE's LIFF SDK: one classic script, its parts inside a function."""
    parts = [part.read_text("utf-8") for part in sorted(_PARTS.glob("*.js"))]
    script = "\n".join(['(() => {\n"use strict";\n', *parts, "})();\n"])
    return Response(script, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


def languages() -> Response:
    """Name the files with texts."""
    return jsonify(languages={language: f"{language}.json" for language in LANGUAGES})


def texts(language: str) -> Response:
    """Return no texts: the windows that LINE's SDK would write them into are the emulator's."""
    if language not in LANGUAGES:
        raise NotFound("There are no texts in this language.")
    return jsonify({})
