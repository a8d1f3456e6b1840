"""Write a receipt (領収書) as a PDF, as Japan's rules for simplified qualified invoices want it.

By reportlab, whose Japanese fonts need no file; fpdf2 needs one, WeasyPrint needs Pango as well.
Names in other scripts: ``receipt_fonts.py``.
It is Japanese in every language of the page: a document for Japanese tax offices.

Source: National Tax Agency of Japan, "Contents of a simplified qualified invoice".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_DOWN
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal

from ..errors import UsageError
from ..shop.money import Amount
from ..shop.money import decimals
from ..shop.money import exact
from ..shop.money import grouped
from ..shop.order_desk import Issuer
from ..shop.order_desk import OrderDetail
from ..shop.order_desk import OrderLine
from .receipt_fonts import font_named
from .receipt_fonts import marked

if TYPE_CHECKING:
    from reportlab.platypus import Flowable

#: Of food, which is marked on the receipt.
REDUCED_PERCENT = 8
_INK, _RULE, _GROUND = "#222222", "#bbbbbb", "#f2f2f2"
#: As reportlab numbers them.
LEFT: Literal[0] = 0
CENTER: Literal[1] = 1
RIGHT: Literal[2] = 2
#: Millimetres of the columns: what, how many, of one, together.
_COLUMNS = (88, 16, 33, 33)
_WIDTH = sum(_COLUMNS)


def receipt_pdf(order: OrderDetail, issuer: Issuer) -> bytes:
    """Return the receipt of a paid order; the same order gives the same bytes.

    :raises UsageError: the order is not paid, or its lines have no prices or another sum.
    """
    # Imported for the first receipt: it costs a tenth of a second, and most shops' pages none.
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import SimpleDocTemplate

    paid_on = checked(order)
    font = font_named(issuer.font)
    buffer = BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        title=f"領収書 {order.number}",
        author=issuer.name,
        leftMargin=20 * mm,
        rightMargin=20 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        lang="ja",
        invariant=1,
    )
    document.build(
        [
            *_head(order, paid_on, font),
            _lines(order, font),
            _taxes(order, font),
            *_foot(issuer, font),
        ]
    )
    return buffer.getvalue()


def taxes(lines: Sequence[OrderLine], currency: str = "JPY") -> dict[int, tuple[Decimal, Decimal]]:
    """Return by rate what was paid, tax included, and the tax in it.

    The tax is rounded once for each rate and receipt, as the rules ask, and towards zero, as shops
    commonly do.
    """
    sums: defaultdict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        sums[line.tax_percent] += exact(line.price or 0) * line.quantity
    return {
        percent: (paid, _tax_in(paid, percent, currency))
        for percent, paid in sorted(sums.items(), reverse=True)
    }


def _tax_in(paid: Decimal, percent: int, currency: str) -> Decimal:
    smallest = Decimal(1).scaleb(-decimals(0, currency))
    return (paid * percent / (100 + percent)).quantize(smallest, ROUND_DOWN)


def checked(order: OrderDetail) -> date:
    """Return the day of the payment of an order of which there can be a receipt.

    :raises UsageError: as :func:`receipt_pdf`.
    """
    if order.paid_on is None:
        raise UsageError(f"order {order.number} is not paid: there is no receipt of it")
    if any(line.price is None for line in order.lines):
        raise UsageError(f"order {order.number}: receipts need the price of every OrderLine")
    sum_of_lines = sum(paid for paid, _tax in taxes(order.lines).values())
    if sum_of_lines != exact(order.total):
        raise UsageError(
            f"order {order.number}: the lines add up to {sum_of_lines} and the total is "
            f"{order.total}; give postage and discounts lines of their own"
        )
    return order.paid_on


def _head(order: OrderDetail, paid_on: date, font: str) -> list[Flowable]:
    day = f"{paid_on.year}年{paid_on.month}月{paid_on.day}日"
    return [
        _text("領 収 書", font, size=22, align=CENTER, after=8),
        _text(f"No. {marked(order.number, font)}", font, align=RIGHT),
        _text(day, font, align=RIGHT, after=6),
        _text(f"<u>{marked(order.addressee or '上', font)}　様</u>", font, size=14, after=6),
        _boxed(f"{_headline(order)} ―　（税込）", font),
        _text(
            "但し、お品代として。上記の金額を正に領収いたしました。", font, align=CENTER, after=8
        ),
    ]


def _lines(order: OrderDetail, font: str) -> Flowable:
    rows = [["品名", "数量", "単価（税込）", "金額（税込）"]]
    for line in order.lines:
        mark = " ※" if line.tax_percent == REDUCED_PERCENT else ""
        price = line.price or 0
        rows.append(
            [
                line.name + mark,
                str(line.quantity),
                _money(price, order),
                _money(exact(price) * line.quantity, order),
            ]
        )
    return _table(rows, font, has_head=True)


def _taxes(order: OrderDetail, font: str) -> Flowable:
    rows = []
    for percent, (paid, tax) in taxes(order.lines, order.currency).items():
        mark = "（※ 軽減税率）" if percent == REDUCED_PERCENT else ""
        rows.append(
            [f"{percent}% 対象{mark}", "", _money(paid, order), f"内消費税 {_money(tax, order)}"]
        )
    return _table(rows, font)


def _foot(issuer: Issuer, font: str) -> list[Flowable]:
    number = issuer.registration_number
    facts = [issuer.address, issuer.phone, f"登録番号 {number}" if number else ""]
    return [
        _text(marked(issuer.name, font), font, size=13, align=RIGHT, before=14, after=2),
        *(_text(marked(fact, font), font, align=RIGHT) for fact in facts if fact),
    ]


def _text(
    markup: str,
    font: str,
    *,
    size: int = 10,
    align: Literal[0, 1, 2] = LEFT,
    before: int = 0,
    after: int = 1,
) -> Flowable:
    """Return a paragraph; ``before`` and ``after`` in millimetres."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "receipt",
        fontName=font,
        fontSize=size,
        leading=size * 1.5,
        alignment=align,
        spaceBefore=before * mm,
        spaceAfter=after * mm,
        textColor=HexColor(_INK),
        wordWrap="CJK",
    )
    return Paragraph(markup, style)


def _boxed(markup: str, font: str) -> Flowable:
    from reportlab.lib.units import mm
    from reportlab.platypus import Table

    table = Table([[_text(markup, font, size=20, align=CENTER, after=0)]], [_WIDTH * mm])
    table.setStyle([("BACKGROUND", (0, 0), (-1, -1), _GROUND), *_padding(10)])
    table.spaceAfter = 4 * mm
    return table


def _table(rows: list[list[str]], font: str, *, has_head: bool = False) -> Flowable:
    """Return a table whose first column is text and whose others are numbers."""
    from reportlab.lib.units import mm
    from reportlab.platypus import Table

    cells = [
        [
            _text(marked(cell, font), font, align=RIGHT if place else LEFT, after=0)
            for place, cell in enumerate(row)
        ]
        for row in rows
    ]
    table = Table(cells, [width * mm for width in _COLUMNS], repeatRows=int(has_head))
    rules: list[Any] = [("LINEBELOW", (0, 0), (-1, -1), 0.5, _RULE), *_padding(5)]
    if has_head:
        rules.append(("LINEABOVE", (0, 0), (-1, 0), 1, _INK))
    table.setStyle(rules)
    table.spaceAfter = 4 * mm
    return table


def _padding(points: int) -> list[Any]:
    sides = ("TOPPADDING", "BOTTOMPADDING")
    return [(side, (0, 0), (-1, -1), points) for side in sides] + [
        ("VALIGN", (0, 0), (-1, -1), "TOP")
    ]


def _headline(order: OrderDetail) -> str:
    digits = grouped(order.total, order.currency)
    return f"￥{digits}" if order.currency == "JPY" else f"{order.currency} {digits}"


def _money(amount: Amount, order: OrderDetail) -> str:
    """Return an amount as a Japanese document writes it: other currencies by their code."""
    digits = grouped(amount, order.currency)
    return f"{digits}円" if order.currency == "JPY" else f"{digits} {order.currency}"
