"""Draws the picture of a rich menu that has none: cells with their labels, and tabs above them.

By Pillow, which `flask-lineconnect[richmenu]` brings. Japanese lines end between phrases.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from ..errors import ConfigError
from ..errors import UsageError
from ..phrase_ends import split
from .reading import Look

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

#: Raised when the same menu is drawn in another way, so that LINE is given the new picture.
VERSION = 1
#: Fonts with Japanese that systems have; the file and the place of the font in it.
_FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 0),
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 0),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc", 0),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc", 0),
    ("/usr/share/fonts/truetype/fonts-japanese-gothic.ttf", 0),
    ("/System/Library/Fonts/ヒラギノ角ゴシック W6.ttc", 0),
    ("C:/Windows/Fonts/meiryob.ttc", 0),
    ("C:/Windows/Fonts/YuGothB.ttc", 0),
)
#: Pixels of letters: the largest, the smallest that can still be read on a phone, and the step.
_LARGEST, _SMALLEST, _STEP = 120, 44, 4
#: Parts of a cell that stay empty at its sides, of a line's height between lines.
_MARGIN, _LEADING = 0.1, 0.35


@dataclass(frozen=True, slots=True)
class Cell:
    """A rectangle with a label.

    :ivar bounds: left, top, width and height in pixels.
    :ivar is_tab: it stands above the menu.
    :ivar is_here: the tab of the menu itself.
    """

    label: str
    bounds: tuple[int, int, int, int]
    is_tab: bool = False
    is_here: bool = False


def draw(size: tuple[int, int], cells: Sequence[Cell], look: Look, *, folder: Path) -> bytes:
    """Return the picture as PNG.

    :param folder: where the look's font lies.
    :raises ConfigError: Pillow is missing, or a font with the letters that are needed.
    :raises UsageError: a label does not fit into its area.
    """
    try:
        from PIL import Image  # not everybody has it installed
        from PIL import ImageDraw
    except ModuleNotFoundError:
        raise ConfigError(
            "a rich menu without an image is drawn by Pillow, which is missing: "
            "`pip install 'flask-lineconnect[richmenu]'`, or give the menu an `image`"
        ) from None
    font = _font_file(look, folder)
    image = Image.new("RGB", size, look.ground)
    canvas = ImageDraw.Draw(image)
    for cell in cells:
        _draw_cell(canvas, cell, look, font)
    out = BytesIO()
    # Few colours: a picture of letters stays far below LINE's limit.
    image.quantize(64).save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_cell(canvas: ImageDraw, cell: Cell, look: Look, font: tuple[str, int]) -> None:
    x, y, width, height = cell.bounds
    ground = look.accent if cell.is_here else look.ground
    box = (x, y, x + width - 1, y + height - 1)
    canvas.rectangle(box, fill=ground, outline=look.line, width=3)
    if not cell.is_tab:
        bar = max(6, height // 60)
        canvas.rectangle(
            (
                x + width * 3 // 8,
                y + height * 4 // 5,
                x + width * 5 // 8,
                y + height * 4 // 5 + bar,
            ),
            fill=look.accent,
        )
    lines, letters = _fitting(cell, font)
    step = letters.size * (1 + _LEADING)
    top = y + (height - step * (len(lines) - 1)) / 2
    for number, text in enumerate(lines):
        place = (x + width / 2, top + step * number)
        ink = look.ground if cell.is_here else look.ink
        canvas.text(place, text, fill=ink, font=letters, anchor="mm")


def _fitting(cell: Cell, font: tuple[str, int]) -> tuple[Sequence[str], FreeTypeFont]:
    """Return the lines of a label in the largest letters that fit."""
    _, _, width, height = cell.bounds
    room = width * (1 - 2 * _MARGIN), height * (0.9 if cell.is_tab else 0.55)
    _check_letters(cell.label, font)
    for pixels in range(_LARGEST, _SMALLEST - 1, -_STEP):
        letters = _font(*font, pixels)
        lines = list(_lines(cell.label, letters, room[0]))
        is_high = len(lines) * pixels * (1 + _LEADING) > room[1]
        if not is_high and all(letters.getlength(line) <= room[0] for line in lines):
            return lines, letters
    raise UsageError(f"the label {cell.label!r} is too long for its area; shorten it")


def _lines(label: str, letters: FreeTypeFont, width: float) -> Iterator[str]:
    """Break a label at the ends of its phrases, and where its author did."""
    for part in label.splitlines():
        line = ""
        for phrase in split(part):
            if line and letters.getlength((line + phrase).rstrip()) > width:
                yield line.strip()
                line = phrase
            else:
                line += phrase
        yield line.strip()


def _check_letters(label: str, font: tuple[str, int]) -> None:
    letters = _font(*font, _SMALLEST)
    nothing = bytes(letters.getmask("\U0010fffe"))
    missing = [one for one in label if one.strip() and bytes(letters.getmask(one)) == nothing]
    if missing:
        codes = ", ".join(f"U+{ord(one):04X}" for one in missing[:3])
        raise ConfigError(
            f"the font {Path(font[0]).name} has no {codes} of the label {label!r}; name another "
            "one in the menu's `look.font`"
        )


def _font_file(look: Look, folder: Path) -> tuple[str, int]:
    if look.font is not None:
        if not (path := folder / look.font).is_file():
            raise UsageError(f"the font {look.font} can't be read")
        return str(path), 0
    for name, index in _FONTS:
        if Path(name).is_file():
            return name, index
    raise ConfigError(
        "no font with Japanese was found on this machine: install one (Debian: fonts-noto-cjk), or "
        "put a font's file beside the menus and name it in `look.font`"
    )


@cache
def _font(path: str, index: int, pixels: int) -> Any:
    from PIL import ImageFont  # with the first label

    try:
        return ImageFont.truetype(path, pixels, index=index)
    except OSError:
        raise UsageError(f"{Path(path).name} is no font that can be read") from None
