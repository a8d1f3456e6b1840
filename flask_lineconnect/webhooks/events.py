"""Webhook events as types; ``parsing.py`` makes them from LINE's JSON at the door.

Source: Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reach(Protocol):
    """Finds who is behind an event."""

    def account_for(self, event: Event) -> Any:
        """Return the LINE account."""

    def member_for(self, event: Event) -> Any:
        """Return the shop's member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share.

    Every field has a default, so that a test calls a hook with what matters to it alone.

    :ivar line_user_id: absent for events without a person, and for people who did not consent.
    :ivar reply_token: present where LINE lets the bot answer; good for one answer.
    :ivar is_one_to_one: whether the chat has no other members; personal data belong only there.
    :ivar chat_id: the group's or room's id, outside one-to-one chats.
    :ivar raw: the event as LINE sent it.
    """

    webhook_event_id: str = ""
    occurred_at: datetime = EPOCH
    line_user_id: str | None = None
    reply_token: str | None = None
    is_one_to_one: bool = True
    chat_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reach: Reach | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """LINE's name of the event, as in ``on_event("beacon")``."""
        return str(self.raw.get("type", ""))

    @property
    def account(self) -> Any:
        """The LINE account of the person, an :class:`~flask_lineconnect.models.Account`."""
        return None if self.reach is None else self.reach.account_for(self)

    @property
    def member(self) -> Any:
        """The shop's member, or ``None`` for people without a link."""
        return None if self.reach is None else self.reach.member_for(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent(Event):
    """Something that the person sent; of a kind that LINE may add, too.

    :ivar kind: LINE's name of it: ``text``, ``image``, ``sticker`` …
    :ivar quoted_message_id: of the message that the person quoted.
    """

    message_id: str = ""
    kind: str = ""
    quoted_message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEvent(MessageEvent):
    """A text that the person wrote; ``match`` is set where a pattern found it.

    :ivar rest: what follows the prefix, where one found it.
    """

    text: str = ""
    match: re.Match[str] | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaEvent(MessageEvent):
    """A picture, a video or a sound; its bytes are fetched from LINE by ``message_id``.

    :ivar is_on_line: whether LINE keeps the bytes; otherwise ``content_url`` does.
    """

    is_on_line: bool = True
    content_url: str | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageEvent(MediaEvent):
    """A picture; several that were sent together share ``set_id``.

    :ivar index: its place among them, from 1.
    """

    set_id: str | None = None
    index: int = 1
    total: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEvent(MediaEvent):
    """A video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioEvent(MediaEvent):
    """A sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEvent(MessageEvent):
    """A file; ``size`` in bytes."""

    file_name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationEvent(MessageEvent):
    """A place, in degrees."""

    title: str = ""
    address: str = ""
    latitude: float = 0.0
    longitude: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StickerEvent(MessageEvent):
    """A sticker."""

    package_id: str = ""
    sticker_id: str = ""
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackEvent(Event):
    """A tap on a button that carries ``data``; ``params`` is what a picker adds."""

    data: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowEvent(Event):
    """The person added the official account as a friend, or unblocked it."""

    is_unblocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfollowEvent(Event):
    """The person blocked the official account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsendEvent(Event):
    """The person took a message back: delete your copy of it."""

    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinEvent(Event):
    """The official account was invited to a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveEvent(Event):
    """The official account had to leave a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoinedEvent(Event):
    """People joined a group in which the official account is."""

    line_user_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeftEvent(Event):
    """People left a group in which the official account is."""

    line_user_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BeaconEvent(Event):
    """The person came near a beacon; ``kind`` is ``enter``, ``banner`` or ``stay``."""

    hwid: str = ""
    kind: str = ""
    device_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLinkEvent(Event):
    """The person came back to LINE from the shop; ``is_ok`` says whether it was the same person."""

    is_ok: bool = False
    nonce: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPlayCompleteEvent(Event):
    """The person saw a video to its end."""

    tracking_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipEvent(Event):
    """A paid membership: ``kind`` is ``joined``, ``left`` or ``renewed``."""

    kind: str = ""
    membership_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Any other event; LINE adds new ones without notice."""
