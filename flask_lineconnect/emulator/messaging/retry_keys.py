"""Retry keys: a request with one is accepted once, however often it is made.

Source: Messaging API documentation, "Retry failed API requests".
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from flask import request

from ..api_errors import ApiError
from ..platform import Platform
from ..request_ids import request_id
from ..world import AcceptedRequest
from .chats import Sent

RETRY_KEY_LIFE = timedelta(hours=24)


def retry_key() -> str | None:
    """Return the request's retry key.

    :raises ApiError: it is no UUID.
    """
    given = request.headers.get("X-Line-Retry-Key")
    if given is None:
        return None
    try:
        return str(uuid.UUID(given))
    except ValueError:
        # LINE documents only that it is a UUID; status and words are ours.
        raise ApiError(400, "The retry key is invalid") from None


def refuse_accepted(line: Platform) -> None:
    """Refuse a request whose key was accepted before, whatever its body is now.

    :raises ApiError: it was.
    """
    before = line.world.accepted_requests.get(retry_key() or "")
    if before is not None and before.accepted_at + RETRY_KEY_LIFE > line.clock.now():
        raise ApiError(
            409,
            "The retry key is already accepted",
            headers={"x-line-accepted-request-id": before.request_id},
            extra={"sentMessages": before.sent_messages} if before.sent_messages else None,
        )


def remember_accepted(line: Platform, sent: Sent | None = None) -> None:
    """Remember that this request was accepted, and the messages of a push."""
    key = retry_key()
    if key is not None:
        line.world.accepted_requests[key] = AcceptedRequest(
            retry_key=key,
            request_id=request_id(),
            accepted_at=line.clock.now(),
            sent_messages=sent or [],
        )
