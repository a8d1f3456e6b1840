"""Tracked links in what a shop's own code sends and shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from ..marketing.links.addresses import LinkAddresses
from ..marketing.links.stored import LinkOwner
from ..marketing.links.tracking import link_to
from ..marketing.links.tracking import track
from ..models import OutboxMessage
from ..outbox.queue import to_json
from ..state import current_line


def track_links(
    message: OutboxMessage | None, *, utm: Mapping[str, str] | None = None
) -> OutboxMessage | None:
    """Let the links of a message that was just sent lead through the shop, in the transaction.

    ``track_links(line.send(member, "…"))``. A message that was sent before, under the same key,
    stays as it is.

    :param utm: parameters for the shop's own statistics, ``{"utm_source": "line"}``.
    :return: the message; ``None`` for a member without a LINE account.
    """
    line = current_line
    if message is None:
        return None
    is_new = message in line.session and message.attempts == 0 and message.state == "queued"
    if is_new and line.part(LinkAddresses).base not in message.messages:
        owner = LinkOwner(campaign_id=message.campaign_id, source="message", utm=utm or {})
        payloads = json.loads(message.messages)
        # What stands on links may be written for one person, and their rows stay.
        tracked = track(line, payloads, owner, message_id=message.id, labels=())
        message.messages = to_json(tracked)
    return message


def tracked_url(
    target: str,
    *,
    source: str,
    label: str = "",
    utm: Mapping[str, str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Return an address of the shop's that leads on to ``target``, in the caller's transaction.

    LINE's own addresses, and those that are none of the web, are returned as they are.

    :param target: a whole address, or a path of the shop's.
    :param source: where it will stand: ``flyer``.
    :param label: what you will know it by.
    :param utm: parameters for the shop's own statistics, ``{"utm_source": "line"}``.
    :param expires_at: from when it leads nowhere any more; aware.
    :raises UsageError: the source is too long, or the time has no zone.
    """
    line = current_line
    if target.startswith("/") and not target.startswith("//"):
        target = line.config.base_url.rstrip("/") + target
    owner = LinkOwner(source=source, utm=utm or {}, expires_at=expires_at)
    return link_to(line, target, owner, label=label)
