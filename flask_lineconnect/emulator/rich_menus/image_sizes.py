"""The pixel size of a PNG or JPEG, read from its first bytes."""

from __future__ import annotations

import struct

_PNG = b"\x89PNG\r\n\x1a\n"
#: Markers of JPEG that begin like a frame's and are none.
_NO_FRAME = {0xC4, 0xC8, 0xCC}


def image_size(image: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG or JPEG, or ``None`` for anything else."""
    if image.startswith(_PNG) and len(image) >= 24:
        width, height = struct.unpack(">II", image[16:24])
        return width, height
    return _jpeg_size(image) if image.startswith(b"\xff\xd8") else None


def _jpeg_size(image: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(image) and image[place] == 0xFF:
        marker = image[place + 1]
        if marker == 0xFF:  # padding
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">HH", image[place + 5 : place + 9])
            return width, height
        place += 2 + int.from_bytes(image[place + 2 : place + 4], "big")
    return None
