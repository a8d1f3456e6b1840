"""LINE's JSON into typed events; what is missing or odd in it becomes the field's default.

Source: Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from . import events
from .events import Event

Json = Mapping[str, Any]
#: Milliseconds of a thousand days; nothing that is played lasts longer.
_LONGEST = 86_400_000_000
#: Python reads no whole numbers of more than 4,300 digits, and LINE's have 13.
_MOST_DIGITS = 400
_USER_ID = re.compile(r"U[0-9a-f]{32}").fullmatch


def parse_event(raw: Json, *, reach: events.Reach | None = None) -> Event:
    """Make the typed event of LINE's JSON.

    :param reach: how the event finds its account and member.
    :raises ValueError: a field that every event has is missing or odd.
    """
    common = _common_fields(raw) | {"reach": reach}
    try:
        if raw.get("type") == "message":
            return _message(_object(raw, "message"), dict(common))
        make = _MAKERS.get(str(raw.get("type")))
        return events.UnknownEvent(**common) if make is None else make(raw, common)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # LINE adds and changes without notice; a hook for unknown events can still look.
        return events.UnknownEvent(**common)


def read_payload(text: str) -> Json:
    """Return the JSON of a stored event, whatever its numbers are.

    :raises ValueError: it is no JSON object.
    """
    raw = _decode(text)
    if not isinstance(raw, dict):
        raise ValueError("the event is no JSON object")
    return raw


def _any_int(digits: str) -> int | float:
    """Read a whole number; one that Python's limit of digits refuses becomes infinite."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


# Made once: making it takes longer than reading an event.
_decode = json.JSONDecoder(parse_int=_any_int).decode


def occurred_at(raw: Mapping[str, Any]) -> datetime:
    """Return the time of an event; LINE counts milliseconds.

    :raises ValueError: there is none, or it is out of range.
    """
    timestamp = raw.get("timestamp")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool):
        raise ValueError("the event has no timestamp")
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        raise ValueError("the event's timestamp is out of range") from None


def line_user_id(source: object) -> str | None:
    """Return the LINE user whom an event's source names, if in LINE's form."""
    user_id = source.get("userId") if isinstance(source, dict) else None
    return user_id if isinstance(user_id, str) and _USER_ID(user_id) else None


def is_line_user_id(text: str) -> bool:
    """Tell whether a text has the form of a LINE user id: ``U`` and 32 hexadecimal digits."""
    return _USER_ID(text) is not None


def _common_fields(raw: Json) -> dict[str, Any]:
    token, source = raw.get("replyToken"), _object(raw, "source")
    chat_id = source.get("groupId") or source.get("roomId")
    return {
        "webhook_event_id": str(raw.get("webhookEventId", "")),
        "occurred_at": occurred_at(raw),
        "line_user_id": line_user_id(source),
        "reply_token": token if isinstance(token, str) else None,
        "is_one_to_one": source.get("type") == "user",
        "chat_id": chat_id if isinstance(chat_id, str) else None,
        "raw": raw,
    }


def _message(message: Json, common: dict[str, Any]) -> Event:
    kind = _text(message, "type")
    quoted = message.get("quotedMessageId")
    common |= {
        "message_id": _text(message, "id"),
        "kind": kind,
        "quoted_message_id": quoted if isinstance(quoted, str) else None,
    }
    make = _MESSAGES.get(kind)
    return events.MessageEvent(**common) if make is None else make(message, common)


def _media_fields(message: Json) -> dict[str, Any]:
    provider, duration = _object(message, "contentProvider"), _int(message, "duration", 0)
    if not 0 <= duration <= _LONGEST:
        duration = 0
    return {
        "is_on_line": provider.get("type", "line") == "line",
        "content_url": _text(provider, "originalContentUrl") or None,
        "duration": timedelta(milliseconds=duration) if duration else None,
    }


def _image(message: Json, common: Json) -> Event:
    images = _object(message, "imageSet")
    return events.ImageEvent(
        **common,
        **_media_fields(message),
        set_id=_text(images, "id") or None,
        index=_int(images, "index", 1),
        total=_int(images, "total", 1),
    )


def _location(message: Json, common: Json) -> Event:
    return events.LocationEvent(
        **common,
        title=_text(message, "title"),
        address=_text(message, "address"),
        latitude=_float(message, "latitude"),
        longitude=_float(message, "longitude"),
    )


def _sticker(message: Json, common: Json) -> Event:
    words = message.get("keywords")
    return events.StickerEvent(
        **common,
        package_id=_text(message, "packageId"),
        sticker_id=_text(message, "stickerId"),
        keywords=tuple(map(str, words)) if isinstance(words, list) else (),
    )


_MESSAGES: dict[str, Callable[[Json, Json], Event]] = {
    "text": lambda message, common: events.TextEvent(**common, text=_text(message, "text")),
    "image": _image,
    "video": lambda message, common: events.VideoEvent(**common, **_media_fields(message)),
    "audio": lambda message, common: events.AudioEvent(**common, **_media_fields(message)),
    "file": lambda message, common: events.FileEvent(
        **common, file_name=_text(message, "fileName"), size=_int(message, "fileSize", 0)
    ),
    "location": _location,
    "sticker": _sticker,
}


def _postback(raw: Json, common: Json) -> Event:
    postback = _object(raw, "postback")
    return events.PostbackEvent(
        **common, data=_text(postback, "data"), params=_object(postback, "params")
    )


def _beacon(raw: Json, common: Json) -> Event:
    beacon = _object(raw, "beacon")
    return events.BeaconEvent(
        **common,
        hwid=_text(beacon, "hwid"),
        kind=_text(beacon, "type"),
        device_message=_text(beacon, "dm"),
    )


def _account_link(raw: Json, common: Json) -> Event:
    link = _object(raw, "link")
    is_ok = link.get("result") == "ok"
    return events.AccountLinkEvent(**common, is_ok=is_ok, nonce=_text(link, "nonce"))


def _membership(raw: Json, common: Json) -> Event:
    membership = _object(raw, "membership")
    return events.MembershipEvent(
        **common,
        kind=_text(membership, "type"),
        membership_id=_int(membership, "membershipId", 0),
    )


def _people(raw: Json, key: str) -> tuple[str, ...]:
    listed = _object(raw, key).get("members")
    people = [one.get("userId") for one in listed or [] if isinstance(one, Mapping)]
    return tuple(one for one in people if isinstance(one, str) and is_line_user_id(one))


_MAKERS: dict[str, Callable[[Json, Json], Event]] = {
    "postback": _postback,
    "follow": lambda raw, common: events.FollowEvent(
        **common, is_unblocked=bool(_object(raw, "follow").get("isUnblocked", False))
    ),
    "unfollow": lambda _raw, common: events.UnfollowEvent(**common),
    "unsend": lambda raw, common: events.UnsendEvent(
        **common, message_id=_text(_object(raw, "unsend"), "messageId")
    ),
    "join": lambda _raw, common: events.JoinEvent(**common),
    "leave": lambda _raw, common: events.LeaveEvent(**common),
    "memberJoined": lambda raw, common: events.MemberJoinedEvent(
        **common, line_user_ids=_people(raw, "joined")
    ),
    "memberLeft": lambda raw, common: events.MemberLeftEvent(
        **common, line_user_ids=_people(raw, "left")
    ),
    "beacon": _beacon,
    "accountLink": _account_link,
    "videoPlayComplete": lambda raw, common: events.VideoPlayCompleteEvent(
        **common, tracking_id=_text(_object(raw, "videoPlayComplete"), "trackingId")
    ),
    "membership": _membership,
}


def _object(raw: Json, key: str) -> Json:
    value = raw.get(key)
    # JSON's objects are dictionaries; asking for a Mapping takes ten times as long.
    return value if isinstance(value, dict) else {}


def _text(raw: Json, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _int(raw: Json, key: str, default: int) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _float(raw: Json, key: str) -> float:
    value = raw.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0
