"""The point card's codes must be readable by a scanner: sizes, quiet zones, colours, contents."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import segno
from barcode.errors import BarcodeError

from flask_lineconnect.errors import UsageError
from flask_lineconnect.shop.adapter import Barcode
from flask_lineconnect.web.barcodes import card_bars
from flask_lineconnect.web.barcodes import code128_svg
from flask_lineconnect.web.barcodes import jan13_svg
from flask_lineconnect.web.barcodes import qr_svg

NUMBER = "2026000012345678"

#: Widths of bar, space, bar … in modules. Source: ISO/IEC 15417, table 1 (code set C, 00 to 99).
START_C = (2, 1, 1, 2, 3, 2)
STOP = (2, 3, 3, 1, 1, 1, 2)


def drawing(markup: str) -> ElementTree.Element:
    svg = ElementTree.fromstring(markup).find("svg")
    assert svg is not None
    return svg


def rectangles(svg: ElementTree.Element) -> list[tuple[int, int, int]]:
    """Return x, y and width of the dark rectangles."""
    path = svg.findall("path")[-1].attrib["d"]
    found = re.findall(r"M(\d+) (\d+)h(\d+)v\d+h-\3z", path)
    assert "".join(re.findall(r"M[^M]+", path)) == path
    return [(int(x), int(y), int(width)) for x, y, width in found]


def element_widths(svg: ElementTree.Element) -> list[int]:
    """Return the widths of bars and spaces in turn, from the first bar to the last."""
    widths: list[int] = []
    end = None
    for x, _, width in rectangles(svg):
        if end is not None:
            widths.append(x - end)
        widths.append(width)
        end = x + width
    return widths


def test_bars_are_one_code_128_in_the_short_code_set_for_digits() -> None:
    widths = element_widths(drawing(code128_svg(NUMBER)))

    assert tuple(widths[:6]) == START_C
    assert tuple(widths[-7:]) == STOP
    # Start, one symbol for each two digits, check symbol: 11 modules each; stop: 13.
    assert sum(widths) == 11 * (1 + len(NUMBER) // 2 + 1) + 13


def test_different_numbers_give_different_bars() -> None:
    assert code128_svg(NUMBER) != code128_svg("2026000012345679")


def test_bars_keep_ten_modules_of_quiet_zone_on_both_sides() -> None:
    svg = drawing(code128_svg(NUMBER))
    bars = rectangles(svg)
    width = int(svg.attrib["viewBox"].split()[2])

    assert bars[0][0] == 10
    assert width - (bars[-1][0] + bars[-1][2]) == 10


def test_bars_stretch_to_the_box_of_the_page() -> None:
    assert drawing(code128_svg(NUMBER)).attrib["preserveAspectRatio"] == "none"


def test_text_outside_code_128_is_refused() -> None:
    with pytest.raises(BarcodeError):
        code128_svg("会員")


def test_qr_code_holds_the_modules_of_the_data() -> None:
    svg = drawing(qr_svg(NUMBER))
    dark = {(x + i, y) for x, y, width in rectangles(svg) for i in range(width)}

    matrix = segno.make_qr(NUMBER, error="m").matrix
    expected = {
        (x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module
    }
    assert dark == expected


def test_qr_code_keeps_four_modules_of_quiet_zone() -> None:
    side = int(drawing(qr_svg(NUMBER)).attrib["viewBox"].split()[2])

    assert side == len(segno.make_qr(NUMBER, error="m").matrix) + 2 * 4


@pytest.mark.parametrize("draw", [code128_svg, qr_svg])
def test_codes_are_black_on_white_without_inline_style(draw: object) -> None:
    assert callable(draw)
    markup = draw(NUMBER)
    fills = [path.attrib["fill"] for path in drawing(markup).findall("path")]

    assert fills == ["#fff", "#000"]
    assert "style" not in markup
    assert "<script" not in markup


@pytest.mark.parametrize("draw", [code128_svg, qr_svg])
def test_codes_have_a_name_that_cannot_break_out(draw: object) -> None:
    assert callable(draw)
    root = ElementTree.fromstring(draw(NUMBER, label='"><script>'))

    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == '"><script>'
    assert ElementTree.fromstring(draw(NUMBER)).attrib["aria-label"] == NUMBER


@pytest.mark.parametrize(
    ("given", "drawn"), [("490123456789", "4901234567894"), ("4901234567894", "4901234567894")]
)
def test_a_jan_13_carries_its_check_digit(given: str, drawn: str) -> None:
    root = ElementTree.fromstring(jan13_svg(given))
    assert root.attrib["aria-label"] == drawn
    widths = element_widths(drawing(jan13_svg(given)))
    # Guards and digits: 3 + 6 x 7 + 5 + 6 x 7 + 3 modules.
    assert sum(widths) == 95
    assert widths[:3] == widths[-3:] == [1, 1, 1]


@pytest.mark.parametrize(
    "number",
    ["4901234567893", "49012345678", "49012345678945", "49012345678a", "４９０１２３４５６７８９"],
)
def test_what_is_no_jan_13_is_refused(number: str) -> None:
    with pytest.raises(UsageError):
        jan13_svg(number)


def test_a_jan_13_keeps_its_quiet_zones() -> None:
    svg = drawing(jan13_svg("4901234567894"))
    bars = rectangles(svg)
    assert bars[0][0] == 11
    assert int(svg.attrib["viewBox"].split()[2]) - (bars[-1][0] + bars[-1][2]) == 11


@pytest.mark.parametrize("kind", ["code128", "jan13"])
def test_the_cards_bars_are_wide_enough_on_the_smallest_phone(kind: Barcode) -> None:
    bars = card_bars("4901234567894", kind, label="number")
    assert bars is not None
    modules = int(drawing(bars).attrib["viewBox"].split()[2])
    # 320 CSS pixels are 50 mm there, of which 45 mm are the bars'.
    assert 45 / modules >= 0.25


def test_bars_that_no_register_could_read_are_left_out() -> None:
    assert card_bars("MEMBER-2026-ABCDEFGH-12345678", "code128", label="number") is None
