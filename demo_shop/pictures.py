"""Pictures of the products, drawn: one shape a kind of thing, in the product's own colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PIL import ImageDraw

SIZE = 640
#: Drawn larger and scaled down, so that edges are smooth.
SCALE = 2
#: Colours in the PNG; a drawing needs few, and the file stays small.
COLOURS = 48

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


class Canvas:
    """A square of 640 units with the few strokes that the drawings need."""

    def __init__(self, ground: str):
        self.image = Image.new("RGB", (SIZE * SCALE, SIZE * SCALE), ground)
        self._draw = ImageDraw.Draw(self.image)

    def ellipse(self, box: Box, fill: str) -> None:
        """Draw a filled ellipse."""
        self._draw.ellipse(self._scaled(box), fill=fill)

    def rounded(self, box: Box, radius: float, fill: str) -> None:
        """Draw a filled rectangle with round corners."""
        self._draw.rounded_rectangle(self._scaled(box), radius * SCALE, fill=fill)

    def polygon(self, points: list[tuple[float, float]], fill: str) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def arc(self, box: Box, start: float, end: float, fill: str, width: float) -> None:
        """Draw a part of an ellipse's line; angles in degrees, clockwise from three o'clock."""
        self._draw.arc(self._scaled(box), start, end, fill=fill, width=int(width * SCALE))

    def line(self, points: list[tuple[float, float]], fill: str, width: float) -> None:
        """Draw a line."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=fill, width=int(width * SCALE), joint="curve")

    def finished(self) -> Image.Image:
        """Return the picture at its size."""
        # Of the ways to make it smaller and of fewer colours, those that take a tenth of the time.
        return self.image.reduce(SCALE).quantize(COLOURS, Image.Quantize.FASTOCTREE)

    @staticmethod
    def _scaled(box: Box) -> Box:
        return (box[0] * SCALE, box[1] * SCALE, box[2] * SCALE, box[3] * SCALE)


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it."""
    pairs = zip(_rgb(colour), _rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _rgb(colour: str) -> Colour:
    value = int(colour.lstrip("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def _shadow(canvas: Canvas, ground: str, box: Box) -> None:
    canvas.ellipse(box, mixed(ground, "#3a2a1a", 0.16))


def tin(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A tea tin with a paper label."""
    _shadow(canvas, ground, (180, 500, 480, 560))
    canvas.rounded((205, 190, 435, 540), 22, main)
    canvas.rounded((385, 190, 435, 540), 22, mixed(main, "#000000", 0.12))
    canvas.rounded((195, 130, 445, 225), 22, mixed(main, "#ffffff", 0.18))
    canvas.rounded((195, 205, 445, 225), 6, mixed(main, "#000000", 0.18))
    canvas.rounded((245, 290, 395, 460), 10, "#fbf5e9")
    canvas.ellipse((290, 320, 350, 380), accent)
    for y, half in ((402, 46), (424, 34)):
        canvas.rounded((320 - half, y, 320 + half, y + 8), 4, mixed(accent, "#fbf5e9", 0.35))


def bag(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A standing paper bag."""
    _shadow(canvas, ground, (170, 505, 480, 565))
    canvas.polygon([(200, 170), (440, 170), (465, 545), (175, 545)], main)
    canvas.polygon([(400, 170), (440, 170), (465, 545), (415, 545)], mixed(main, "#000000", 0.1))
    canvas.polygon([(200, 120), (440, 120), (440, 185), (200, 185)], mixed(main, "#ffffff", 0.25))
    canvas.rounded((200, 178, 440, 190), 4, mixed(main, "#000000", 0.2))
    canvas.ellipse((245, 265, 385, 405), "#fbf5e9")
    canvas.polygon([(315, 290), (355, 345), (315, 385), (275, 345)], accent)
    canvas.line([(315, 300), (315, 380)], mixed(accent, "#ffffff", 0.5), 5)
    canvas.rounded((250, 445, 380, 458), 6, mixed(accent, main, 0.3))


def cup(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A tea cup without a handle, with steam."""
    _shadow(canvas, ground, (160, 490, 480, 565))
    canvas.polygon([(170, 270), (470, 270), (420, 525), (220, 525)], main)
    canvas.ellipse((220, 495, 420, 550), main)
    canvas.polygon([(400, 270), (470, 270), (420, 525), (375, 535)], mixed(main, "#000000", 0.09))
    canvas.ellipse((170, 225, 470, 315), mixed(main, "#ffffff", 0.35))
    canvas.ellipse((190, 240, 450, 305), accent)
    canvas.arc((215, 250, 425, 297), 200, 330, mixed(accent, "#ffffff", 0.4), 5)
    for x in (265, 330, 395):
        canvas.arc((x - 22, 110, x + 14, 160), 270, 90, mixed(ground, "#ffffff", 0.75), 7)
        canvas.arc((x - 14, 156, x + 22, 206), 90, 270, mixed(ground, "#ffffff", 0.75), 7)


def bowl(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A wide bowl on a foot."""
    _shadow(canvas, ground, (130, 470, 510, 555))
    canvas.rounded((250, 470, 390, 530), 14, mixed(main, "#000000", 0.18))
    canvas.ellipse((110, 130, 530, 500), main)
    canvas.polygon([(90, 100), (550, 100), (550, 295), (90, 295)], ground)
    canvas.ellipse((110, 240, 530, 350), mixed(main, "#ffffff", 0.3))
    canvas.ellipse((135, 255, 505, 337), mixed(main, "#000000", 0.12))
    canvas.arc((140, 190, 500, 470), 25, 155, accent, 9)
    canvas.arc((150, 170, 490, 440), 30, 150, mixed(accent, main, 0.4), 5)


def plate(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A round plate from above."""
    _shadow(canvas, ground, (95, 115, 565, 585))
    canvas.ellipse((85, 85, 555, 555), main)
    canvas.ellipse((105, 105, 535, 535), mixed(main, "#ffffff", 0.25))
    canvas.ellipse((165, 165, 475, 475), main)
    canvas.arc((125, 125, 515, 515), 0, 360, accent, 7)
    for dx, dy in ((-52, 30), (0, -38), (52, 30)):
        canvas.ellipse((288 + dx, 288 + dy, 352 + dx, 352 + dy), mixed(accent, main, 0.25))
    canvas.ellipse((300, 300, 340, 340), mixed(accent, "#ffffff", 0.55))


def pot(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A side-handled tea pot."""
    _shadow(canvas, ground, (120, 490, 540, 560))
    canvas.polygon([(420, 330), (590, 250), (605, 290), (440, 400)], mixed(main, "#000000", 0.12))
    canvas.polygon([(175, 340), (85, 255), (120, 235), (215, 300)], mixed(main, "#000000", 0.06))
    canvas.ellipse((145, 240, 475, 540), main)
    canvas.ellipse((180, 225, 440, 325), mixed(main, "#ffffff", 0.2))
    canvas.ellipse((195, 205, 425, 300), mixed(main, "#000000", 0.1))
    canvas.ellipse((285, 165, 335, 215), accent)
    canvas.arc((180, 290, 440, 500), 100, 170, mixed(main, "#ffffff", 0.35), 9)


def sweets(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """Two round sweets on a small tray."""
    _shadow(canvas, ground, (90, 440, 550, 560))
    canvas.rounded((90, 430, 550, 510), 30, "#8a5a3a")
    canvas.rounded((90, 430, 550, 455), 16, "#a6714b")
    canvas.ellipse((115, 245, 335, 455), mixed(main, "#000000", 0.06))
    canvas.ellipse((115, 235, 335, 440), main)
    canvas.ellipse((305, 265, 520, 455), mixed(main, accent, 0.55))
    canvas.ellipse((305, 258, 520, 442), mixed(main, accent, 0.45))
    canvas.ellipse((195, 270, 255, 300), mixed(main, "#ffffff", 0.55))
    canvas.ellipse((385, 290, 440, 318), mixed(main, "#ffffff", 0.4))
    canvas.polygon([(225, 232), (275, 190), (262, 245)], accent)
    canvas.polygon([(225, 232), (180, 185), (205, 246)], mixed(accent, "#000000", 0.12))


def slab(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A bar of jelly with two slices cut."""
    _shadow(canvas, ground, (70, 445, 580, 555))
    canvas.rounded((70, 430, 570, 500), 22, mixed(ground, "#3a2a1a", 0.35))
    canvas.polygon([(120, 290), (380, 290), (380, 430), (120, 430)], main)
    canvas.polygon([(120, 290), (165, 245), (425, 245), (380, 290)], mixed(main, "#ffffff", 0.22))
    canvas.polygon([(380, 290), (425, 245), (425, 390), (380, 430)], mixed(main, "#000000", 0.2))
    for x in (440, 500):
        canvas.polygon([(x, 300), (x + 30, 270), (x + 30, 405), (x, 432)], main)
        canvas.polygon([(x + 2, 300), (x + 30, 270), (x + 42, 270), (x + 14, 300)], accent)
    canvas.ellipse((180, 330, 215, 365), accent)
    canvas.ellipse((260, 350, 290, 380), mixed(accent, main, 0.3))


def crackers(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A pile of rice crackers."""
    for x, y in ((110, 330), (300, 345), (200, 180)):
        _shadow(canvas, ground, (x + 8, y + 22, x + 238, y + 222))
        canvas.ellipse((x, y, x + 230, y + 200), main)
        canvas.ellipse((x + 14, y + 10, x + 216, y + 184), mixed(main, "#ffffff", 0.18))
        canvas.polygon(
            [(x + 70, y + 30), (x + 165, y + 40), (x + 155, y + 165), (x + 60, y + 155)], accent
        )
        canvas.ellipse((x + 25, y + 80, x + 40, y + 92), mixed(main, "#000000", 0.2))
        canvas.ellipse((x + 185, y + 110, x + 200, y + 122), mixed(main, "#000000", 0.2))


def parcel(canvas: Canvas, ground: str, main: str, accent: str) -> None:
    """A gift, wrapped in cloth and knotted."""
    _shadow(canvas, ground, (110, 490, 530, 565))
    canvas.rounded((125, 270, 515, 540), 40, main)
    canvas.polygon([(125, 310), (320, 400), (125, 500)], mixed(main, "#000000", 0.08))
    canvas.polygon([(515, 310), (320, 400), (515, 500)], mixed(main, "#000000", 0.14))
    canvas.polygon([(320, 285), (180, 150), (250, 305)], mixed(main, "#ffffff", 0.15))
    canvas.polygon([(320, 285), (460, 150), (390, 305)], mixed(main, "#ffffff", 0.08))
    canvas.ellipse((275, 250, 365, 325), mixed(main, "#000000", 0.18))
    for x, y in ((190, 400), (250, 480), (390, 480), (450, 400), (320, 450)):
        canvas.ellipse((x - 14, y - 14, x + 14, y + 14), accent)


SHAPES: dict[str, Callable[[Canvas, str, str, str], None]] = {
    "tin": tin,
    "bag": bag,
    "cup": cup,
    "bowl": bowl,
    "plate": plate,
    "pot": pot,
    "sweets": sweets,
    "slab": slab,
    "crackers": crackers,
    "parcel": parcel,
}


def draw(path: Path, shape: str, ground: str, main: str, accent: str) -> None:
    """Draw a product's picture into a PNG file."""
    canvas = Canvas(ground)
    SHAPES[shape](canvas, ground, main, accent)
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.finished().save(path, optimize=True)
