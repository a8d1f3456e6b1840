"""Charts of bars and of cells; as ``charts.py``, in classes alone, and drawn twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .charts import both
from .charts import text_width

#: How deep the colour of a cell can be.
DEPTHS = 5
_ROW, _BAR = 52, 20
_CELL, _HEAD = 36, 22
#: Columns that a phone has room for, so that their letters stay apart.
PHONE_COLUMNS = 6
_PHONE, _DESK = 324, 465


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    :ivar text: the value as it is written behind it.
    :ivar fill: 1 to 3, the chart's colours; 3 is what others are compared with.
    """

    label: str
    value: float
    text: str
    fill: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    :ivar depth: 0 to :data:`DEPTHS`.
    :ivar is_open: what it counts is not over.
    """

    text: str
    depth: int = 0
    is_open: bool = False


def depth_of(part: float, most: float) -> int:
    """Return how deep a value's colour is; of anything more than nothing at least 1."""
    if part <= 0 or most <= 0:
        return 0
    return max(1, min(DEPTHS, round(DEPTHS * part / most)))


def bar_chart(bars: Sequence[Bar], *, label: str) -> Markup:
    """Draw bars below each other, from zero.

    :param label: says the same in words, the figures included.
    """
    return both(*(_bars(bars, label, width) for width in (_DESK, _PHONE)))


def cell_chart(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[Cell]]],
    *,
    label: str,
    width: int = _DESK,
) -> Markup:
    """Draw a table of cells, the deeper the more; a phone has the first columns.

    :param label: says in words what it shows.
    :param width: of the drawing for a desk.
    """
    few = [(name, cells[:PHONE_COLUMNS]) for name, cells in rows]
    return both(
        _cells(columns, rows, label, width), _cells(columns[:PHONE_COLUMNS], few, label, _PHONE)
    )


def _svg(width: int, height: int, label: str, drawn: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="lc-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(width, height, label, Markup("").join(drawn))


def _bars(bars: Sequence[Bar], label: str, width: int) -> Markup:
    """Draw each bar below its label, which may be of any length in any font."""
    length = width - 12 - max(text_width(bar.text) for bar in bars)
    most = max(bar.value for bar in bars) or 1
    drawn = [
        Markup(
            '<text class="strong" x="0" y="{top}">{label}</text>'
            '<rect class="track" x="0" y="{y}" width="{all:.1f}" height="{h}" rx="4"/>'
            '<rect class="fill-{fill}" x="0" y="{y}" width="{part:.1f}" height="{h}" rx="4"/>'
            '<text class="strong" x="{end}" y="{mid}" text-anchor="end">{text}</text>'
        ).format(
            top=_ROW * number + 13,
            y=_ROW * number + 20,
            mid=_ROW * number + 34,
            h=_BAR,
            all=length,
            part=length * bar.value / most,
            end=width,
            label=bar.label,
            text=bar.text,
            fill=bar.fill,
        )
        for number, bar in enumerate(bars)
    ]
    return _svg(width, _ROW * len(bars), label, drawn)


def _cells(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]], label: str, width: int
) -> Markup:
    left = 10 + max(text_width(name) for name, _cells in rows)
    step = (width - left) / len(columns)
    drawn = [
        Markup('<text x="{:.1f}" y="14" text-anchor="middle">{}</text>').format(
            left + step * (number + 0.5), name
        )
        for number, name in enumerate(columns)
    ]
    for place, (name, cells) in enumerate(rows):
        top = _HEAD + _CELL * place
        drawn.append(Markup('<text class="strong" x="0" y="{}">{}</text>').format(top + 22, name))
        drawn += [_cell(cell, left + step * number, top, step) for number, cell in enumerate(cells)]
    return _svg(width, _HEAD + _CELL * len(rows), label, drawn)


def _cell(cell: Cell, left: float, top: int, step: float) -> Markup:
    return Markup(
        '<rect class="heat-{}{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}" rx="4"/>'
        '<text class="ink" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
    ).format(
        cell.depth,
        " open" if cell.is_open else "",
        left + 1,
        top + 1,
        step - 2,
        _CELL - 2,
        left + step / 2,
        top + 22,
        cell.text,
    )
