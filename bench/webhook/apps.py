"""What the benchmark serves: the extension, the official SDK's handler, and a bare Flask view.

All three check LINE's signature; only the extension stores anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any

from flask import Flask
from flask import request
from linebot.v3 import WebhookHandler
from linebot.v3.exceptions import InvalidSignatureError

from tests.small_shop import SETTINGS
from tests.small_shop import create_app

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"


def bare() -> Flask:
    """Check the signature, parse the JSON, and do nothing."""
    app = Flask(__name__)

    @app.post("/line/webhook")
    def webhook() -> tuple[str, int]:
        body = request.get_data()
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
        signature = request.headers.get("X-Line-Signature", "")
        if not hmac.compare_digest(base64.b64encode(digest).decode(), signature):
            return "", 400
        request.get_json()
        return "", 200

    return app


def sdk() -> Flask:
    """Hand the body to the official SDK's handler, as its README shows; no event is hooked."""
    app = Flask(__name__)
    handler = WebhookHandler(SECRET)

    @app.post("/line/webhook")
    def webhook() -> tuple[str, int]:
        try:
            handler.handle(request.get_data(as_text=True), request.headers["X-Line-Signature"])
        except InvalidSignatureError:
            return "", 400
        return "", 200

    @handler.default()
    def default(event: Any) -> None:
        return None

    return app


def extension() -> Flask:
    """Store every event once, durably, in the shop of the tests."""
    return create_app(
        {
            **SETTINGS,
            "TESTING": False,
            "SQLALCHEMY_DATABASE_URI": os.environ["BENCH_DATABASE"],
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": SECRET,
            # What happens to the events afterwards is not what is measured.
            "LINECONNECT_ENGINE": "worker",
        }
    )


application = {"bare": bare, "sdk": sdk, "extension": extension}[os.environ["BENCH_APP"]]()
