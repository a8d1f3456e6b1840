"""What a user can send beside text, for the phone's script and for the control pages alike."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from typing import Literal

from ..api_errors import ApiError
from ..checks import is_number
from ..checks import is_whole
from ..messaging import chats
from ..own_requests import optional_text_in
from ..own_requests import text_in
from ..platform import Platform
from ..webhooks.events import emit
from ..world import Content
from ..world import User

Body = dict[str, Any]
Answer = dict[str, Any] | None
Kind = Literal["image", "video", "audio", "file"]

#: Bytes of a medium: a body of 2 MB holds no more in base64.
MAX_CONTENT = 1_500_000
#: What a medium may be, by its kind.
TYPES: dict[Kind, tuple[str, ...]] = {
    "image": ("image/jpeg", "image/png", "image/gif", "image/webp"),
    "video": ("video/mp4", "video/webm"),
    "audio": ("audio/mp4", "audio/mpeg", "audio/x-m4a", "audio/webm", "audio/wav"),
    "file": ("application/octet-stream",),
}
_FROM_LINE = {"contentProvider": {"type": "line"}}


def send_sticker(line: Platform, user: User, body: Body) -> Answer:
    """Send the sticker ``sticker_id`` of the package ``package_id``."""
    package, sticker = (optional_text_in(body, f"{one}_id", 20) for one in ("package", "sticker"))
    message = {
        "type": "sticker",
        "packageId": package or "446",
        "stickerId": sticker or "1988",
        "stickerResourceType": "STATIC",
    }
    return {"message_id": chats.write(line, user.user_id, message)}


def send_location(line: Platform, user: User, body: Body) -> Answer:
    """Send a place: ``latitude``, ``longitude``, and perhaps ``title`` and ``address``."""
    message: dict[str, Any] = {"type": "location"}
    for name in ("title", "address"):
        text = optional_text_in(body, name, 100)
        message |= {name: text} if text else {}
    for name, limit in (("latitude", 90), ("longitude", 180)):
        value = body.get(name)
        if not is_number(value) or not -limit <= value <= limit:
            raise ApiError(400, f"'{name}' must be a number from -{limit} to {limit}")
        message[name] = value
    return {"message_id": chats.write(line, user.user_id, message)}


def send_image(line: Platform, user: User, body: Body) -> Answer:
    """Send an image, its bytes as ``base64`` and its ``type``."""
    return _send_medium(line, user, body, "image", _FROM_LINE)


def send_video(line: Platform, user: User, body: Body) -> Answer:
    """Send a video, its bytes as ``base64``, its ``type`` and ``duration`` in milliseconds."""
    return _send_medium(line, user, body, "video", {"duration": _duration(body), **_FROM_LINE})


def send_audio(line: Platform, user: User, body: Body) -> Answer:
    """Send a sound, its bytes as ``base64``, its ``type`` and ``duration`` in milliseconds."""
    return _send_medium(line, user, body, "audio", {"duration": _duration(body), **_FROM_LINE})


def send_file(line: Platform, user: User, body: Body) -> Answer:
    """Send a file, its bytes as ``base64``, and its ``name``."""
    name = text_in(body, "name", 255)
    size = len(_bytes(body))
    return _send_medium(line, user, body, "file", {"fileName": name, "fileSize": size})


def unsend(line: Platform, user: User, body: Body) -> None:
    """Take the message ``message_id`` back."""
    if not chats.unsend(line, user.user_id, text_in(body, "message_id", 40)):
        raise ApiError(404, "The user has no such message to take back")


def watch_to_the_end(line: Platform, user: User, body: Body) -> None:
    """Watch the video with ``tracking_id`` to its end."""
    event = {"trackingId": text_in(body, "tracking_id", 100)}
    if user.relation != "blocked":
        emit(
            line,
            {"type": "videoPlayComplete", "user_id": user.user_id, "videoPlayComplete": event},
        )


def meet_beacon(line: Platform, user: User, body: Body) -> None:
    """Come near the beacon ``hwid``; ``type`` is enter, banner or stay, ``dm`` its message."""
    beacon = {"hwid": text_in(body, "hwid", 10), "type": body.get("type", "enter")}
    if beacon["type"] not in {"enter", "banner", "stay"}:
        raise ApiError(400, "'type' must be enter, banner or stay")
    message = optional_text_in(body, "dm", 26)
    beacon |= {"dm": message} if message else {}
    if user.relation == "friend":
        emit(line, {"type": "beacon", "user_id": user.user_id, "beacon": beacon})


def _send_medium(
    line: Platform, user: User, body: Body, kind: Kind, fields: dict[str, Any]
) -> Answer:
    raw, content_type = _bytes(body), optional_text_in(body, "type", 100) or TYPES[kind][0]
    # Anything else could be a page, which the phone would then show as ours.
    if kind != "file" and content_type not in TYPES[kind]:
        raise ApiError(400, f"'type' must be one of {', '.join(TYPES[kind])}")
    content = Content(
        type=TYPES["file"][0] if kind == "file" else content_type,
        kind=kind,
        base64=base64.b64encode(raw).decode(),
    )
    return {"message_id": chats.write(line, user.user_id, {"type": kind, **fields}, content)}


def _bytes(body: Body) -> bytes:
    given = body.get("base64")
    try:
        raw = base64.b64decode(given, validate=True) if isinstance(given, str) else b""
    except (binascii.Error, ValueError):
        raw = b""
    if not 0 < len(raw) <= MAX_CONTENT:
        raise ApiError(400, f"'base64' must be 1 to {MAX_CONTENT:,} bytes in base64")
    return raw


def _duration(body: Body) -> int:
    value = body.get("duration", 1_000)
    if not is_whole(value) or not 0 <= value <= 86_400_000:
        raise ApiError(400, "'duration' must be a number of milliseconds")
    return value
