"""Webhook events as types, made from LINE's JSON at the door.

Source: Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share.

    :ivar line_user_id: absent for events without a person, and for people who did not consent.
    :ivar reply_token: present where LINE lets the bot answer; good for one answer.
    :ivar is_one_to_one: whether the chat has no other members; personal data belong only there.
    :ivar raw: the event as LINE sent it.
    """

    webhook_event_id: str
    occurred_at: datetime
    line_user_id: str | None = None
    reply_token: str | None = None
    is_one_to_one: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """LINE's name of the event, as in ``on_event("beacon")``."""
        return str(self.raw.get("type", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEvent(Event):
    """A text that the person wrote; ``match`` is set where a pattern found it."""

    text: str
    match: re.Match[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackEvent(Event):
    """A tap on a button that carries ``data``; ``params`` is what a picker adds."""

    data: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowEvent(Event):
    """The person added the official account as a friend, or unblocked it."""

    is_unblocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfollowEvent(Event):
    """The person blocked the official account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLinkEvent(Event):
    """The person came back to LINE from the shop; ``is_ok`` says whether it was the same person."""

    is_ok: bool
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Any other event; LINE adds new ones without notice."""


def parse_event(raw: Mapping[str, Any]) -> Event:
    """Make the typed event of LINE's JSON.

    :raises ValueError: a field that every event has is missing or odd.
    """
    common = _common_fields(raw)
    match raw.get("type"):
        case "message" if _at(raw, "message").get("type") == "text":
            return TextEvent(**common, text=str(_at(raw, "message").get("text", "")))
        case "postback":
            postback = _at(raw, "postback")
            params = _at(postback, "params")
            return PostbackEvent(**common, data=str(postback.get("data", "")), params=params)
        case "follow":
            unblocked = bool(_at(raw, "follow").get("isUnblocked", False))
            return FollowEvent(**common, is_unblocked=unblocked)
        case "unfollow":
            return UnfollowEvent(**common)
        case "accountLink":
            link = _at(raw, "link")
            return AccountLinkEvent(
                is_ok=link.get("result") == "ok", nonce=str(link.get("nonce", "")), **common
            )
    return UnknownEvent(**common)


def occurred_at(raw: Mapping[str, Any]) -> datetime:
    """Return the time of an event; LINE counts milliseconds.

    :raises ValueError: there is none, or it is out of range.
    """
    timestamp = raw.get("timestamp")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool):
        raise ValueError("the event has no timestamp")
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC)
    except (OverflowError, OSError):
        raise ValueError("the event's timestamp is out of range") from None


def line_user_id(raw: Mapping[str, Any]) -> str | None:
    """Return the LINE user who caused an event, if it names one of LINE's form."""
    user_id = _at(raw, "source").get("userId")
    return user_id if isinstance(user_id, str) and is_line_user_id(user_id) else None


def is_line_user_id(text: str) -> bool:
    """Tell whether a text has the form of a LINE user id: ``U`` and 32 hexadecimal digits."""
    return re.fullmatch(r"U[0-9a-f]{32}", text) is not None


def _common_fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    token = raw.get("replyToken")
    return {
        "webhook_event_id": str(raw.get("webhookEventId", "")),
        "occurred_at": occurred_at(raw),
        "line_user_id": line_user_id(raw),
        "reply_token": token if isinstance(token, str) else None,
        "is_one_to_one": _at(raw, "source").get("type") == "user",
        "raw": raw,
    }


def _at(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}
