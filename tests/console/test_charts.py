"""Charts of the console: from zero, and what stands in them is text."""

from __future__ import annotations

from flask_lineconnect.console.chart_grids import DEPTHS
from flask_lineconnect.console.chart_grids import PHONE_COLUMNS
from flask_lineconnect.console.chart_grids import Bar
from flask_lineconnect.console.chart_grids import Cell
from flask_lineconnect.console.chart_grids import bar_chart
from flask_lineconnect.console.chart_grids import cell_chart
from flask_lineconnect.console.chart_grids import depth_of


def test_charts_begin_at_zero_and_show_the_least_as_something() -> None:
    assert [depth_of(part, 100) for part in (0, 1, 50, 100)] == [0, 1, 2, DEPTHS]
    assert depth_of(1, 0) == 0
    drawn = bar_chart([Bar("<b>", 0, "0")], label='"')
    assert "<b>" not in drawn
    assert 'aria-label="&#34;"' in drawn


def test_a_bar_stands_below_its_label_which_may_be_long() -> None:
    drawn = bar_chart([Bar("Members who are not linked to LINE", 1, "1,000.0 people")], label="x")
    assert 'x="0" y="13">Members who' in drawn
    assert 'class="fill-1" x="0" y="20"' in drawn


def test_a_phone_has_the_first_columns_of_cells() -> None:
    wide, small = cell_chart(
        [str(n) for n in range(12)], [("a", [Cell("9", 1, is_open=True)] * 12)], label="x"
    ).split('<div class="lc-phone">')
    assert (wide.count("open"), small.count("open")) == (12, PHONE_COLUMNS)
