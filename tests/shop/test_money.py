"""Amounts are written as the shops of their country write them, and exactly."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from babel import Locale
from flask import Flask
from flask_babel import force_locale

from flask_lineconnect import Coupon
from flask_lineconnect import Favourite
from flask_lineconnect import OrderSummary
from flask_lineconnect import UsageError
from flask_lineconnect.shop.money import write_money

LANGUAGES = ("ja", "en", "zh_Hant", "th")


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (Decimal("93.16"), "USD", "$93.16"),
        (93, "USD", "$93.00"),
        (Decimal("-1234.5"), "USD", "-$1,234.50"),
        (1080, "TWD", "NT$1,080"),
        (Decimal("1080.00"), "TWD", "NT$1,080"),
        (-50, "TWD", "-NT$50"),
        (1080, "THB", "฿1,080.00"),
        (Decimal("99.5"), "THB", "฿99.50"),
        (1080, "KRW", "₩1,080"),
        (Decimal("0.125"), "USD", "$0.125"),
        (Decimal("12345678901234567890.12"), "USD", "$12,345,678,901,234,567,890.12"),
        (0, "USD", "$0.00"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_as_in_its_own_country(
    app: Flask, amount: Any, currency: str, written: str, language: str
) -> None:
    with app.test_request_context(), force_locale(language):
        assert write_money(amount, currency, Locale.parse(language)) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [("ja", "1,080円"), ("en", "¥1,080"), ("zh_Hant", "1,080日圓"), ("th", "1,080 เยน")],
)
@pytest.mark.parametrize("amount", [1080, Decimal("1080"), Decimal("1080.00"), Decimal("1.08E+3")])
def test_yen_as_before(app: Flask, amount: Any, language: str, written: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert write_money(amount, "JPY", Locale.parse(language)) == written


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("ja", "-528,253円"),
        ("en", "-¥528,253"),
        ("zh_Hant", "-528,253日圓"),
        ("th", "-528,253 เยน"),
    ],
)
def test_a_minus_stands_before_the_sign(app: Flask, language: str, written: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert write_money(-528_253, "JPY", Locale.parse(language)) == written
        assert not write_money(Decimal("-0"), "JPY", Locale.parse(language)).startswith("-")


def test_a_forgotten_currency_hides_no_digit(app: Flask) -> None:
    with app.test_request_context(), force_locale("ja"):
        assert write_money(Decimal("93.16"), "JPY", Locale("ja")) == "93.16円"


def test_other_currencies_are_written_by_the_page(app: Flask) -> None:
    with app.test_request_context():
        assert write_money(Decimal("1234.5"), "EUR", Locale("en")) == "€1,234.50"
        assert write_money(Decimal("1234.5"), "EUR", Locale("de")) == "1.234,50\u00a0€"
        assert "\u202f" not in write_money(Decimal("1234.5"), "EUR", Locale("fr"))


@pytest.mark.parametrize("currency", ["usd", "", "$", "US", None])
def test_what_is_no_currency_is_refused(currency: Any) -> None:
    with pytest.raises(UsageError, match="no currency"):
        OrderSummary("1", datetime.now(UTC), 100, "new", currency=currency)
    with pytest.raises(UsageError, match="no currency"):
        Favourite("1", "tea", price=1, currency=currency)
    with pytest.raises(UsageError, match="no currency"):
        Coupon("1", "tea", amount=1, currency=currency)
