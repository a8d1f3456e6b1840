"""The webhook endpoint: set, read and tried.

Source: Messaging API reference, "Webhook settings".
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from flask import jsonify
from flask import request
from werkzeug.wrappers import Response

from .api_errors import ApiError
from .channel_tokens import needs_messaging_token
from .messaging import json_body
from .platform import is_loopback
from .platform import platform
from .webhooks import batch
from .webhooks import deliver
from .webhooks import sign

_REASONS = {
    "ok": "OK",
    "could_not_connect": "COULD_NOT_CONNECT",
    "request_timeout": "REQUEST_TIMEOUT",
    "error_status_code": "ERROR_STATUS_CODE",
}


def register(app: Flask) -> None:
    """Add the endpoints."""
    endpoint = "/v2/bot/channel/webhook/endpoint"
    app.add_url_rule(endpoint, view_func=needs_messaging_token(set_endpoint), methods=["PUT"])
    app.add_url_rule(endpoint, view_func=needs_messaging_token(get_endpoint), methods=["GET"])
    rule = "/v2/bot/channel/webhook/test"
    app.add_url_rule(rule, view_func=needs_messaging_token(try_endpoint), methods=["POST"])


def set_endpoint() -> Response:
    """Set where webhooks go."""
    url = json_body().get("endpoint")
    _check(url)
    with platform().change() as world:
        world.messaging_channel.webhook_url = url
    return jsonify({})


def get_endpoint() -> Response:
    """Tell where webhooks go."""
    channel = platform().world.messaging_channel
    if channel.webhook_url is None:
        raise ApiError(404, "Webhook endpoint not found")
    return jsonify(endpoint=channel.webhook_url, active=channel.use_webhook)


def try_endpoint() -> Response:
    """Send a webhook without events, and tell what came of it."""
    body = request.get_json(silent=True) or {}
    channel = platform().world.messaging_channel
    url = body.get("endpoint") or channel.webhook_url
    if url is None:
        raise ApiError(404, "Webhook endpoint not found")
    _check(url)
    content = batch(platform())
    record = deliver(url, content, sign(content, channel.secret))
    reason = _REASONS.get(record["outcome"], "UNCLASSIFIED")
    return jsonify(
        success=record["outcome"] == "ok",
        timestamp=platform().clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        statusCode=record["status"] or 0,
        reason=reason,
        detail=str(record["status"] or reason),
    )


def _check(url: object) -> None:
    valid = (
        isinstance(url, str)
        and len(url) <= 500
        and bool(urlsplit(url).hostname)
        # The development switch: a shop on this machine may be plain http.
        and (url.startswith("https://") or (url.startswith("http://") and is_loopback(url)))
    )
    if not valid:
        raise ApiError(400, "Invalid webhook endpoint URL")
