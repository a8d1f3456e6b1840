"""The address of LINE's LIFF SDK, at which the emulator serves its stand-in, and what it reads."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint
from flask import jsonify
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

#: Languages for which LINE's SDK finds texts.
LANGUAGES = ("en", "ja")
_PARTS = Path(__file__).parents[1] / "static" / "sdk"

sdk_files = Blueprint("sdk_files", __name__)


@sdk_files.get("/liff/edge/2/sdk.js")
def sdk() -> Response:
    """Serve the stand-in for LINE's LIFF SDK: one classic script, its parts inside a function."""
    parts = [part.read_text("utf-8") for part in sorted(_PARTS.glob("*.js"))]
    script = "\n".join(['(() => {\n"use strict";\n', *parts, "})();\n"])
    return Response(script, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


@sdk_files.get("/xlt/manifest.json")
def languages() -> Response:
    """Name the files with texts."""
    return jsonify(languages={language: f"{language}.json" for language in LANGUAGES})


@sdk_files.get("/xlt/<language>.json")
def texts(language: str) -> Response:
    """Return no texts: the windows that LINE's SDK would write them into are the emulator's."""
    if language not in LANGUAGES:
        raise NotFound("There are no texts in this language.")
    return jsonify({})
