"""Draw the point card's barcode and QR code as inline SVG, for pages with a strict CSP.

Both are black on white in dark pages too: a register's scanner reads dark bars on a light ground
only. Both carry their quiet zones inside the drawing, so that no style sheet can take them away.
"""

from __future__ import annotations

from io import BytesIO
from itertools import groupby

from markupsafe import Markup

from ..errors import UsageError
from ..folding import fold_code
from ..shop.adapter import Barcode

#: In modules, on each side. Source: ISO/IEC 15417 (Code 128), section 4.3.2.
BARCODE_QUIET_ZONE = 10

#: In modules, left of the bars; as wide on the right, where the standard asks for 7, so that the
#: bars stand in the middle. Source: ISO/IEC 15420 (EAN/JAN-13), section 4.3.6.
JAN_QUIET_ZONE = 11

#: More modules than this are narrower than 0.25 mm on the smallest phones, 320 CSS pixels or
#: 50 mm wide with 45 mm for the bars, and no register reads them: the card leaves them out.
MAX_BARCODE_MODULES = 180

#: In modules, on each side. Source: ISO/IEC 18004 (QR Code), section 6.3.8.
QR_QUIET_ZONE = 4

#: Height of the bars in modules; a page may stretch it, because only widths carry the number.
BARCODE_HEIGHT = 40

_FRAME = Markup(
    '<span class="lc-code lc-code-{kind}" role="img" aria-label="{label}">'
    '<svg viewBox="0 0 {width} {height}" preserveAspectRatio="{ratio}" '
    'shape-rendering="crispEdges" focusable="false" aria-hidden="true">'
    '<path fill="#fff" d="M0 0h{width}v{height}H0z"/><path fill="#000" d="{path}"/></svg></span>'
)


def code128_svg(number: str, *, label: str = "") -> Markup:
    """Draw a Code 128 barcode that fills the box in which it is put, in width and in height.

    :param number: ASCII text; an even count of digits gives the shortest code.
    :param label: what a screen reader says instead; the number when empty.
    :raises barcode.errors.BarcodeError: the text has characters outside Code 128.
    """
    # Imported when the first card is drawn, so that the app's start does not wait for it.
    from barcode.codex import Code128

    return _bars(Code128(number).build()[0], BARCODE_QUIET_ZONE, label=label or number)


def jan13_svg(number: str, *, label: str = "") -> Markup:
    """Draw a JAN-13 (EAN-13) barcode that fills the box in which it is put.

    :param number: twelve digits, to which the check digit is added, or thirteen with a right one.
    :param label: what a screen reader says instead; the number when empty.
    :raises UsageError: this is no such number.
    """
    from barcode.ean import EAN13

    if not (number.isascii() and number.isdigit() and len(number) in {12, 13}):
        raise UsageError(f"a JAN-13 has twelve or thirteen digits, and {len(number)} were given")
    code = EAN13(number)
    if not code.ean.startswith(number):
        raise UsageError("the thirteenth digit of a JAN-13 is its check digit, and this is not it")
    return _bars(code.build()[0], JAN_QUIET_ZONE, label=label or code.ean)


def card_bars(number: str, kind: Barcode, *, label: str) -> Markup | None:
    """Draw the bars of a point card; ``None`` if they would be too fine for a register.

    :param number: as the shop keeps it; full-width signs and blanks are no part of the code.
    """
    draw = jan13_svg if kind == "jan13" else code128_svg
    bars = draw(fold_code(number), label=label)
    return bars if _width(bars) <= MAX_BARCODE_MODULES else None


def _width(bars: Markup) -> int:
    """Return how many modules a drawing is wide, its quiet zones included."""
    # As plain text: older MarkupSafe escapes what is looked for.
    return int(str(bars).partition('viewBox="0 0 ')[2].partition(" ")[0])


def _bars(modules: str, quiet_zone: int, *, label: str) -> Markup:
    return _FRAME.format(
        kind="bars",
        label=label,
        width=len(modules) + 2 * quiet_zone,
        height=BARCODE_HEIGHT,
        ratio="none",
        path=_runs(modules, x=quiet_zone, y=0, height=BARCODE_HEIGHT),
    )


def qr_svg(data: str, *, label: str = "") -> Markup:
    """Draw a QR code, medium error correction, which fills its box and stays square.

    :param data: a URL or a number. Never a Micro QR code: registers and LINE do not read those.
    :param label: what a screen reader says instead; the data when empty.
    """
    import segno

    code = segno.make_qr(data, error="m")
    rows = ("".join("1" if module else "0" for module in row) for row in code.matrix)
    path = "".join(_runs(row, x=QR_QUIET_ZONE, y=y) for y, row in enumerate(rows, QR_QUIET_ZONE))
    side = code.symbol_size(border=QR_QUIET_ZONE)[0]
    return _FRAME.format(
        kind="qr", label=label or data, width=side, height=side, ratio="xMidYMid meet", path=path
    )


def qr_file(data: str) -> bytes:
    """Draw a QR code as an SVG file of its own, for ``<img>``."""
    import segno

    file = BytesIO()
    segno.make_qr(data, error="m").save(file, kind="svg", border=QR_QUIET_ZONE, light="#fff")
    return file.getvalue()


def _runs(modules: str, *, x: int, y: int, height: int = 1) -> str:
    """Return SVG path data with one rectangle per run of dark modules."""
    rectangles = []
    for module, run in groupby(modules):
        width = len(list(run))
        if module == "1":
            rectangles.append(f"M{x} {y}h{width}v{height}h-{width}z")
        x += width
    return "".join(rectangles)
