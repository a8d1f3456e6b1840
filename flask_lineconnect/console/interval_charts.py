"""Differences, each with what it may truly be: a dot, its whiskers, and the line of none.

Drawn twice, for a desk and for a phone, as are all charts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from . import writing
from .i18n import gettext as _

_PHONE, _DESK = (324, 84), (438, 96)
_TOP, _ROW, _BOTTOM = 22, 54, 22


@dataclass(frozen=True, slots=True)
class Interval:
    """One difference, in people among 1,000."""

    label: str
    value: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """Say it with its range."""
        return _(
            "%(label)s: %(value)s人（%(low)s〜%(high)s人の間）",
            label=self.label,
            value=signed(self.value),
            low=signed(self.low),
            high=signed(self.high),
        )


def signed(value: float) -> str:
    """Return a difference with its sign."""
    found = round(value)
    return f"+{writing.number(found)}" if found > 0 else writing.number(found)


def interval_chart(found: Sequence[Interval]) -> Markup:
    """Draw up to ten differences, one below the other."""
    label = "、".join(one.words for one in found)
    wide, small = (_draw(found, label, width, left) for width, left in (_DESK, _PHONE))
    return Markup('<div class="lc-desk">{}</div><div class="lc-phone">{}</div>').format(wide, small)


def _draw(found: Sequence[Interval], label: str, width: int, left: int) -> Markup:
    step = _step(max(one.high for one in found) - min(0, *(one.low for one in found)))
    first = math.floor(min(0, *(one.low for one in found)) / step)
    last = max(math.ceil(max(0, *(one.high for one in found)) / step), first + 1)
    height, right = _TOP + _ROW * len(found) + _BOTTOM, width - 16
    bottom = height - _BOTTOM

    def x(value: float) -> float:
        return left + (right - left) * (value / step - first) / (last - first)

    drawn = [
        Markup(
            '<path class="{}" d="M{:.1f} {}V{}"/><text x="{:.1f}" y="{}" text-anchor="middle">'
            "{}</text>"
        ).format(
            "grid" if at else "axis", x(at * step), _TOP, bottom, x(at * step), height - 5, text
        )
        for at in range(first, last + 1)
        for text in (signed(at * step),)
    ]
    for number, one in enumerate(found):
        y = _TOP + _ROW * number + _ROW / 2
        name, low, high = "one" if number == 0 else "two", x(one.low), x(one.high)
        drawn.append(
            Markup(
                '<text class="strong" x="0" y="{:.1f}">{}</text>'
                '<path class="line {}" d="M{:.1f} {:.1f}H{:.1f}'
                'M{:.1f} {:.1f}v14M{:.1f} {:.1f}v14"/>'
                '<circle class="fill-{}" cx="{:.1f}" cy="{:.1f}" r="6.5"/>'
            ).format(
                *(y + 4, one.label, name, low, y, high, low, y - 7, high, y - 7),
                *(1 if number == 0 else 2, x(one.value), y),
            )
        )
    return Markup(
        '<svg class="lc-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, Markup("").join(drawn))


def _step(span: float) -> float:
    """Return a step of an axis of which there are four or so in a span."""
    wanted = max(span, 1.0) / 4
    power = 10 ** math.floor(math.log10(wanted))
    found = next(one * power for one in (1, 2, 5, 10) if one * power >= wanted)
    return max(float(found), 1.0)
