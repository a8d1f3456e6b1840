"""The webhook endpoint: set, read and tried.

Source: Messaging API reference, "Webhook settings".
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from ..addresses import is_loopback
from ..api_errors import ApiError
from ..platform import platform
from ..requests_in import json_body
from ..times import iso_time
from ..tokens.guard import messaging_api
from .events import batch
from .sender import Delivery
from .sender import WebhookSender
from .sender import sign

MAX_URL = 500
_REASONS = {
    "ok": "OK",
    "could_not_connect": "COULD_NOT_CONNECT",
    "request_timeout": "REQUEST_TIMEOUT",
    "error_status_code": "ERROR_STATUS_CODE",
}

webhook_settings = messaging_api("webhook_settings", "/v2/bot/channel/webhook")


@webhook_settings.put("/endpoint")
def set_endpoint() -> Response:
    """Set where webhooks go; LINE takes up to a minute for what is done here at once."""
    url = _checked(json_body().get("endpoint"))
    with platform().change() as world:
        world.messaging_channel.webhook_url = url
    return jsonify({})


@webhook_settings.get("/endpoint")
def get_endpoint() -> Response:
    """Tell where webhooks go."""
    channel = platform().world.messaging_channel
    if channel.webhook_url is None:
        raise ApiError(404, "Webhook endpoint not found")
    return jsonify(endpoint=channel.webhook_url, active=channel.use_webhook)


@webhook_settings.post("/test")
def try_endpoint() -> Response:
    """Send a webhook without events, and tell what came of it."""
    asked = json_body() if request.get_data() else {}
    line = platform()
    channel = line.world.messaging_channel
    url = asked.get("endpoint")
    if url is None and channel.webhook_url is None:
        raise ApiError(404, "Webhook endpoint not found")
    # Not under the lock: the shop may call back while it answers.
    began_at = line.clock.now()
    target = _checked(channel.webhook_url if url is None else url)
    body = batch(line)
    record = line.part(WebhookSender).try_now(Delivery(target, body, sign(body, channel.secret)))
    reason = _REASONS.get(record["outcome"], "UNCLASSIFIED")
    return jsonify(
        success=reason == "OK",
        timestamp=iso_time(began_at),
        statusCode=record["status"] or 0,
        reason=reason,
        detail=str(record["status"] or reason),
    )


def _checked(url: object) -> str:
    if isinstance(url, str) and len(url) <= MAX_URL and _is_allowed(url):
        return url
    raise ApiError(400, "Invalid webhook endpoint URL")


def _is_allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    # An imitation has no business with the real one.
    if not host or host == "line.me" or host.endswith(".line.me"):
        return False
    # The development switch: a shop on this machine may be plain http.
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
