"""Charts, drawn on the server: classes alone, which the style sheet colours by day and by night.

Each is drawn twice, for a desk and for a phone, so that its letters stay as large as the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from . import writing

#: Steps of an axis that people count in.
_STEPS = (1, 2, 5)
_LEFT, _TOP, _BOTTOM = 40, 14, 26
#: What a letter of a label at the end of a line takes, Japanese ones included.
_LETTER = 12
_PHONE, _DESK = (324, 190), (565, 236)


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    label: str
    values: Sequence[int]


def line_chart(days: Sequence[date], series: Sequence[Series], *, label: str) -> Markup:
    """Draw up to two lines over days, from zero.

    :param label: says the same in words, the figures included.
    """
    wide = _draw(days, series, label, *_DESK)
    return both(wide, _draw(days, series, label, *_PHONE))


def both(wide: Markup, small: Markup) -> Markup:
    """Return a chart that was drawn for a desk and for a phone; each shows its own."""
    return Markup('<div class="lc-desk">{}</div><div class="lc-phone">{}</div>').format(wide, small)


def text_width(text: str) -> float:
    """Return how wide a label is drawn, in the chart's own units."""
    return _LETTER * _length(text)


def meter(parts: Sequence[int], whole: int, *, label: str) -> Markup:
    """Draw how much of a whole is gone, in up to two parts."""
    track = Markup('<rect class="track" width="600" height="14" rx="7"/>')
    drawn, at = [track], 0.0
    for number, part in enumerate(parts, start=1):
        width = min(600 - at, 600 * part / whole) if whole else 0
        if width > 0:
            drawn.append(
                Markup(
                    '<rect class="fill-{}" x="{:.1f}" width="{:.1f}" height="14" rx="7"/>'
                ).format(number, at, width)
            )
        at += width
    return Markup(
        '<svg class="lc-chart lc-meter" viewBox="0 0 600 14" role="img" aria-label="{}" '
        'preserveAspectRatio="none">{}</svg>'
    ).format(label, Markup("").join(drawn))


def _draw(
    days: Sequence[date], series: Sequence[Series], label: str, width: int, height: int
) -> Markup:
    right = width - 24 - max(text_width(one.label) for one in series)
    top = _top_of(max((max(one.values, default=0) for one in series), default=0))
    base = height - _BOTTOM

    def x(number: int) -> float:
        return _LEFT + (right - _LEFT) * number / max(1, len(days) - 1)

    def y(value: float) -> float:
        return base - (base - _TOP) * value / top

    drawn = [_grid(top, right, y), _day_labels(days, height, x)]
    for number, one in enumerate(series):
        points = [(x(place), y(value)) for place, value in enumerate(one.values)]
        drawn.append(_line(one, points, base, number))
    drawn += _end_labels(series, right, y)
    return Markup(
        '<svg class="lc-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, Markup("").join(drawn))


def _length(text: str) -> float:
    """Return how wide a text is, in letters of Japanese."""
    return sum(0.65 if letter.isascii() else 1.0 for letter in text)


def _top_of(largest: int) -> int:
    """Return where an axis ends: above the largest value, and divided by three."""
    wanted = max(1, math.ceil(largest / 3))
    power = 10 ** (len(str(wanted)) - 1)
    step = next(s * power for s in (*_STEPS, 10) if s * power >= wanted)
    return 3 * int(step)


def _grid(top: int, right: float, y: object) -> Markup:
    assert callable(y)
    drawn = []
    for number in range(4):
        value = top * number // 3
        drawn.append(
            Markup(
                '<path class="{}" d="M{} {:.1f}H{:.1f}"/>'
                '<text x="{}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(
                "grid" if number else "axis",
                _LEFT,
                y(value),
                right,
                _LEFT - 8,
                y(value) + 4,
                writing.number(value),
            )
        )
    return Markup("").join(drawn)


def _day_labels(days: Sequence[date], height: int, x: object) -> Markup:
    assert callable(x)
    last = len(days) - 1
    places = sorted({round(last * part / 4) for part in range(5)}) if last > 0 else [0]
    return Markup("").join(
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            x(place), height - 6, writing.short_day(days[place])
        )
        for place in places
    )


def _line(one: Series, points: Sequence[tuple[float, float]], base: float, number: int) -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    first, last = points[0], points[-1]
    wash = Markup("")
    if number == 0:
        wash = Markup('<path class="wash-1" d="M{:.1f} {:.1f}L{} L{:.1f} {:.1f}Z"/>').format(
            first[0], base, path, last[0], base
        )
    name, dash = ("one", "") if number == 0 else ("two", " dash")
    return Markup(
        '{}<polyline class="line {}{}" points="{}"/><circle class="fill-{}" cx="{:.1f}" '
        'cy="{:.1f}" r="4"/>'
    ).format(wash, name, dash, path, number + 1, *last)


def _end_labels(series: Sequence[Series], right: float, y: object) -> list[Markup]:
    """Write each line's name behind its end; two ends that meet are parted."""
    assert callable(y)
    places = [y(one.values[-1]) for one in series]
    if len(places) == 2 and abs(places[0] - places[1]) < 16:
        middle = sum(places) / 2
        upper = 0 if places[0] <= places[1] else 1
        places[upper], places[1 - upper] = middle - 8, middle + 8
    return [
        Markup('<text class="strong" x="{:.1f}" y="{:.1f}">{}</text>').format(
            right + 9, place + 4, one.label
        )
        for one, place in zip(series, places, strict=True)
    ]
