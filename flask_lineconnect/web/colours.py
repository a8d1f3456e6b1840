"""Colours by lightness, chroma and hue, and how well two of them can be told apart.

No library: coloraide, the best kept one, costs a second and a half to import, where the start of an
app may lose 0.15 in all, and these few functions are all that is needed of it.

Sources: B. Ottosson, "A perceptual color space for image processing" (OKLab); WCAG 2.2, "relative
luminance" and "contrast ratio"; CSS Color 4, section 10 (conversion of sRGB).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2
from math import cos
from math import degrees
from math import hypot
from math import radians
from math import sin
from typing import NamedTuple

#: Steps in which chroma gives way where sRGB has no such colour.
_CHROMA_STEPS = 20
#: How far outside sRGB a value may be that rounding brings back.
_ROUNDING = 0.002
#: Lightness moves by this until a contrast is reached.
_STEP = 0.005


class Oklch(NamedTuple):
    """A colour as people see it: lightness and chroma from 0 to 1, hue in degrees."""

    light: float
    chroma: float
    hue: float


def to_oklch(colour: str) -> Oklch:
    """Return lightness, chroma and hue of ``#rrggbb``."""
    red, green, blue = (_linear(value) for value in _channels(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    a = 1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short
    light = 0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short
    return Oklch(light, hypot(a, b), degrees(atan2(b, a)) % 360)


def to_hex(light: float, chroma: float, hue: float) -> str:
    """Return ``#rrggbb``; chroma gives way where sRGB has no such colour."""
    linear: tuple[float, ...] = ()
    for step in range(_CHROMA_STEPS + 1):
        linear = _linear_rgb(light, chroma * (1 - step / _CHROMA_STEPS), hue)
        if all(-_ROUNDING <= value <= 1 + _ROUNDING for value in linear):
            break
    values = (_encoded(min(1.0, max(0.0, value))) for value in linear)
    return "#" + "".join(f"{round(value * 255):02x}" for value in values)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def move_until(colour: str, grounds: Iterable[str], least: float, *, darker: bool) -> str:
    """Move a colour's lightness until it stands out from every ground by ``least``."""
    light, chroma, hue = to_oklch(colour)
    grounds = list(grounds)
    while min(contrast(colour, ground) for ground in grounds) < least and 0 < light < 1:
        light += -_STEP if darker else _STEP
        colour = to_hex(light, chroma, hue)
    return colour


def mix(colour: str, ground: str, share: float) -> str:
    """Mix in sRGB, as a thin wash of paint looks."""
    pairs = zip(_bytes(colour), _bytes(ground), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def _linear_rgb(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.291485548 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
    )


def _bytes(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _channels(colour: str) -> list[float]:
    return [value / 255 for value in _bytes(colour)]


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else float(1.055 * value ** (1 / 2.4) - 0.055)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value) for value in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
