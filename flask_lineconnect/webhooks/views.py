"""The webhook endpoint: verify, store, answer 200; everything else comes later.

Next on the reading path: ``inbox.py``, then ``dispatch.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request

from ..config.settings import Config
from ..state import LineState
from ..state import current_line
from ..state import itself
from .signature import BAD_SIGNATURE
from .signature import is_signed

if TYPE_CHECKING:
    from .batch import Batch
    from .writer import ForwardRow

logger = logging.getLogger(__name__)

#: Largest body that is looked at, in bytes. LINE names no limit; its batches are a few kB.
MAX_BODY = 2 * 1024 * 1024


def register(blueprint: Blueprint) -> None:
    """Add the webhook endpoint to the extension's blueprint."""
    blueprint.add_url_rule("/webhook", view_func=webhook, methods=["POST"])


def _is_for_us(batch: Batch, config: Config) -> bool:
    bot_user_id = config.bot_user_id
    if bot_user_id is None or batch.destination == bot_user_id:
        return True
    logger.warning("webhook events for another official account were left out")
    return False


def webhook() -> Response:
    """Take LINE's webhook events: 200 once they are stored, 400 if they are not LINE's.

    Source: Messaging API, "Receive messages (webhook)".
    """
    text, status = _take()
    return Response(text, status, mimetype="text/plain")


def _take() -> tuple[str, int]:
    # At the first webhook, see parts.py.
    from .batch import NotABatch
    from .batch import parse_batch
    from .inbox import Inbox
    from .writer import NotWritten

    # Behind the proxy each look would cost as much as reading an event; the method is LocalProxy's.
    line = itself(current_line)
    config = line.config
    request.max_content_length = MAX_BODY
    body = request.get_data(cache=False)
    signature = request.headers.get("X-Line-Signature")
    secrets = (config.messaging_channel_secret, *config.messaging_channel_secret_fallbacks)
    if not is_signed(body, signature, *secrets):
        logger.warning(
            "a webhook without a valid signature was refused; if LINE sent it, "
            "LINECONNECT_MESSAGING_CHANNEL_SECRET is not this channel's"
        )
        return BAD_SIGNATURE, 400
    try:
        batch = parse_batch(body)
        if not _is_for_us(batch, config):
            return "", 200
        forwards = _forwards(line, body, str(signature))
        is_stored = line.part(Inbox).store(batch.events, now=line.clock(), forwards=forwards)
    except NotABatch as error:
        return f"This is not a webhook of LINE's: {error}.", 400
    except NotWritten:
        logger.exception("webhook events could not be stored; LINE may deliver them again")
        return "The events could not be stored.", 503
    if is_stored:
        line.engine.wake("inbox")
    if forwards:
        line.engine.wake("forwarding")
    return "", 200


def _forwards(line: LineState, body: bytes, signature: str) -> Sequence[ForwardRow]:
    """Return what goes on to further addresses; most shops have none."""
    if not line.config.forward_webhooks:
        return ()
    from .forwarding import Forwarding  # where there are any

    return line.part(Forwarding).rows(body, signature)
