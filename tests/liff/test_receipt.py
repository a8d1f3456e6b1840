"""The receipt as a PDF: what stands in it, that the sums are right, and that it can be read."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import reportlab

from flask_lineconnect import Issuer
from flask_lineconnect import OrderDetail
from flask_lineconnect import OrderLine
from flask_lineconnect import UsageError
from flask_lineconnect.liff.receipt import receipt_pdf
from flask_lineconnect.liff.receipt import taxes

ISSUER = Issuer("こもれび堂", "京都市中京区", "075-000-0000", "T1234567890123")
LINES = (
    OrderLine("煎茶", 3, price=1_296, tax_percent=8),
    OrderLine("湯のみ", 1, price=2_750),
    OrderLine("値引き", 1, price=-500),
)
ORDER = OrderDetail(
    number="K-2611-000113",
    placed_at=datetime(2026, 11, 9, tzinfo=UTC),
    total=6_138,
    status="お届け済み",
    lines=LINES,
    paid_on=date(2026, 11, 13),
    addressee="山田 花子",
)


def _text(pdf: bytes) -> str:
    """Return the words of all pages, without the gaps that the layout makes."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage().get_text_range() for page in document]
    return "".join("".join(pages).split())


def test_it_says_what_a_qualified_invoice_must_say() -> None:
    text = _text(receipt_pdf(ORDER, ISSUER))
    for part in (
        "領収書",
        "No.K-2611-000113",
        "2026年11月13日",
        "山田花子様",
        "￥6,138",
        "煎茶※31,296円3,888円",
        "湯のみ12,750円2,750円",
        "10%対象2,250円内消費税204円",
        "8%対象（※軽減税率）3,888円内消費税288円",
        "こもれび堂",
        "京都市中京区",
        "登録番号T1234567890123",
    ):
        assert part in text, part


def test_it_can_be_seen() -> None:
    page = pypdfium2.PdfDocument(receipt_pdf(ORDER, ISSUER))[0]
    shades = page.render(scale=0.5).to_pil().convert("L").histogram()
    assert sum(shades[:100]) > 500


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], {}),
        ([OrderLine("A", 1, price=109, tax_percent=8)], {8: (109, 8)}),
        # Rounded once for the rate and not for each line, which would be 0.
        ([OrderLine("A", 3, price=10)], {10: (30, 2)}),
        (LINES, {10: (2_250, 204), 8: (3_888, 288)}),
        # What is paid back of a rate has no more tax in it than the same amount paid.
        ([OrderLine("A", 1, price=-30)], {10: (-30, -2)}),
    ],
)
def test_the_tax_is_rounded_once_for_each_rate(
    lines: Sequence[OrderLine], expected: dict[int, tuple[int, int]]
) -> None:
    assert taxes(lines) == {percent: (*map(Decimal, both),) for percent, both in expected.items()}


def test_other_currencies_are_exact_to_their_smallest_unit() -> None:
    lines = [
        OrderLine("Tea", 3, price=Decimal("31.05"), tax_percent=10),
        OrderLine("Sticker", 1, price=Decimal("0.01"), tax_percent=10),
    ]
    assert taxes(lines, "USD") == {10: (Decimal("93.16"), Decimal("8.46"))}
    order = replace(ORDER, lines=lines, total=Decimal("93.16"), currency="USD")
    text = _text(receipt_pdf(order, ISSUER))
    assert "USD93.16―" in text
    assert "31.05USD93.15USD" in text
    assert "8.46USD" in text
    assert "円" not in text


def test_the_same_order_gives_the_same_bytes() -> None:
    assert receipt_pdf(ORDER, ISSUER) == receipt_pdf(ORDER, ISSUER)


def test_S1_7_names_are_data_and_no_markup() -> None:
    lines = [OrderLine("<b>太字</b> & <img src='file:///etc/passwd'/>", 1, price=6_138)]
    order = replace(ORDER, number="A<b", lines=lines, addressee="<u>A&B</u>")
    text = _text(receipt_pdf(order, ISSUER))
    assert "No.A<b" in text
    assert "<b>太字</b>&<imgsrc='file:///etc/passwd'/>" in text
    assert "<u>A&B</u>様" in text


def test_characters_that_no_built_in_font_has_are_marked() -> None:
    text = _text(receipt_pdf(replace(ORDER, addressee="𠮷田 花子"), ISSUER))
    assert "〓田花子様" in text


def test_a_font_of_the_shops_own_is_put_into_the_file() -> None:
    font = str(Path(reportlab.__file__).with_name("fonts") / "Vera.ttf")
    pdf = receipt_pdf(replace(ORDER, addressee="Hanako"), replace(ISSUER, font=font))
    assert b"/FontFile2" in pdf
    assert b"/FontFile" not in receipt_pdf(ORDER, ISSUER)
    assert "Hanako" in _text(pdf)


def test_many_lines_go_on_over_pages() -> None:
    lines = [OrderLine(f"品{number}", 1, price=100) for number in range(80)]
    pdf = receipt_pdf(replace(ORDER, lines=lines, total=8_000), ISSUER)
    assert len(pypdfium2.PdfDocument(pdf)) > 1
    assert "品79" in _text(pdf)


@pytest.mark.parametrize(
    ("order", "complaint"),
    [
        (replace(ORDER, paid_on=None), "not paid"),
        (replace(ORDER, total=6_139), "add up to 6138"),
        (replace(ORDER, lines=[OrderLine("A", 1)]), "price of every OrderLine"),
    ],
)
def test_a_receipt_that_would_be_wrong_is_none(order: OrderDetail, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        receipt_pdf(order, ISSUER)


@pytest.mark.parametrize(
    "number",
    ["T123456789012", "1234567890123", "T12345678901234", "T１２３４５６７８９０１２３", ""],
)
def test_a_registration_number_of_another_form_is_the_codes_mistake(number: str) -> None:
    with pytest.raises(UsageError, match="no registration number"):
        Issuer("A", "B", registration_number=number)


@pytest.mark.parametrize(
    "name",
    [
        "สมชาย ใจดี",
        "José",
        "Jose\u0301 Nuñez",
        "Nguyễn Thị Ánh",
        "Łukasz Šimůnek",
        "妳好 們",
        "김철수",
        "Иванова",
        "山田 花子 & <Co>",
    ],
)
def test_a_name_of_any_country_is_on_the_receipt(name: str) -> None:
    text = _text(receipt_pdf(replace(ORDER, addressee=name), ISSUER))
    assert "".join(unicodedata.normalize("NFC", name).split()) in unicodedata.normalize("NFC", text)
    assert "〓" not in text


def test_accents_do_not_tear_a_name(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument(receipt_pdf(replace(ORDER, addressee="José"), ISSUER))
    assert "José" in document[0].get_textpage().get_text_range()


def test_a_sign_that_no_font_has_is_a_mark_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert "〓様" in _text(receipt_pdf(replace(ORDER, addressee="\U0001f33f"), ISSUER))
    assert "Issuer.font" in caplog.text
