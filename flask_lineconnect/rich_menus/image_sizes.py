"""How large a picture is, from its first bytes; no library is needed for a picture that is given.

Source: PNG specification, "IHDR"; ITU-T T.81, "Frame header".
"""

from __future__ import annotations

import struct

#: By the first bytes of the file. Source: Messaging API reference, "Upload rich menu image".
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
#: Markers of frames with a size; the others in this range are tables.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def content_type_of(image: bytes) -> str | None:
    """Return what LINE is told that a picture is; ``None``: it takes no such picture."""
    if image.startswith(_PNG):
        return "image/png"
    return "image/jpeg" if image.startswith(_JPEG) else None


def size_of(image: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels; ``None``: the picture is broken or of another kind."""
    try:
        if image.startswith(_PNG):
            width, height = struct.unpack(">II", image[16:24])
            return width, height
        return _size_of_jpeg(image) if image.startswith(_JPEG) else None
    except (struct.error, IndexError):
        return None


def _size_of_jpeg(image: bytes) -> tuple[int, int] | None:
    at = 2
    while image[at] == 0xFF:
        marker = image[at + 1]
        if marker == 0xFF:  # a filler
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", image[at + 2 : at + 4])[0]
    return None
