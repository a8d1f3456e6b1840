"""What the benchmark serves: a shop whose hook says a text back, and the official SDK's handler.

Both check LINE's signature. Only the extension stores anything, and answers each event once.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from importlib import import_module

import requests
from flask import Flask
from flask import request
from linebot.v3 import WebhookHandler
from linebot.v3 import messaging
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.webhooks import MessageEvent
from linebot.v3.webhooks import TextMessageContent

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect.webhooks import claims
from tests.small_shop import User
from tests.small_shop import create_app
from tests.small_shop import db

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
PLATFORM = os.environ["BENCH_PLATFORM"]
#: Seconds that a text beginning with ``slow`` takes.
SLOW = 0.2


def sdk() -> Flask:
    """Answer inside the request, as the SDK's README shows, over one kept client."""
    app = Flask(__name__)
    handler = WebhookHandler(SECRET)
    token = requests.post(f"{PLATFORM}/oauth2/v3/token", timeout=10).json()["access_token"]
    configuration = messaging.Configuration(host=PLATFORM, access_token=token)
    api = messaging.MessagingApi(messaging.ApiClient(configuration))

    @app.post("/line/webhook")
    def webhook() -> tuple[str, int]:
        try:
            handler.handle(request.get_data(as_text=True), request.headers["X-Line-Signature"])
        except InvalidSignatureError:
            return "", 400
        return "", 200

    @handler.add(MessageEvent, message=TextMessageContent)
    def answer(event: MessageEvent) -> None:
        if event.message.text.startswith("slow"):
            time.sleep(SLOW)
        reply = messaging.TextMessage(text=event.message.text, quickReply=None, quoteToken=None)
        api.reply_message(
            messaging.ReplyMessageRequest(
                replyToken=event.reply_token, messages=[reply], notificationDisabled=False
            )
        )

    return app


def extension() -> Flask:
    """Store every event, run its hook, and reply."""
    app = create_app(
        {
            "SECRET_KEY": "a secret key for benchmarks",
            "TESTING": True,
            "SQLALCHEMY_DATABASE_URI": os.environ["BENCH_DATABASE"],
            "LINECONNECT_BASE_URL": "https://shop.example",
            "LINECONNECT_EMULATOR_URL": PLATFORM,
            "LINECONNECT_LOGIN_CHANNEL_ID": "1650000001",
            "LINECONNECT_LOGIN_CHANNEL_SECRET": "0123456789abcdef0123456789abcdef",
            "LINECONNECT_MESSAGING_CHANNEL_ID": "1650000002",
            "LINECONNECT_MESSAGING_CHANNEL_SECRET": SECRET,
        }
    )
    app.register_blueprint(_hooks())
    if "BENCH_LEASE" in os.environ:
        for name in ("aiohttp", "flask_lineconnect.webhooks.dispatch"):
            import_module(name)
        claims.LEASE = timedelta(seconds=float(os.environ["BENCH_LEASE"]))
    return app


def _hooks() -> LineBlueprint:
    hooks = LineBlueprint("bench", __name__)

    @hooks.on_text("slow", prefix=True)
    def slow(event: TextEvent) -> Reply:
        time.sleep(SLOW)
        return event.text

    @hooks.on_text("note", prefix=True)
    def note(event: TextEvent) -> Reply:
        db.session.add(User(name=event.text, email=None))
        return event.text

    @hooks.on_text()
    def echo(event: TextEvent) -> Reply:
        return event.text

    return hooks


application = {"sdk": sdk, "extension": extension}[os.environ["BENCH_APP"]]()
