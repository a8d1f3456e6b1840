"""Amounts of money: exact, in a named currency, written as the shops of its country write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeAlias

from babel import Locale
from babel.numbers import format_currency
from babel.numbers import get_currency_precision

from ..errors import UsageError
from ..i18n import gettext as _

#: In the currency's main unit: ``1080`` yen, ``Decimal("93.16")`` dollars.
Amount: TypeAlias = int | Decimal

#: Whose habits a currency is written by, in every language of the page; others by the page's own.
_HOMES = {"THB": "th_TH", "USD": "en_US", "KRW": "ko_KR", "GBP": "en_GB", "TWD": "zh_Hant_TW"}
#: What tells a sign apart that others have, too. Taiwan's shops write NT$, and no cents.
_SIGNS = {"TWD": "NT$"}
_NO_MINOR_UNIT = {"TWD"}
_CODE = re.compile(r"[A-Z]{3}")
#: Narrow blanks, which many fonts of receipts and phones lack.
_NARROW = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0"})


def check_currency(code: str) -> None:
    """Refuse what is no code of ISO 4217, when a value is made and not when it is shown.

    :raises UsageError: it is not three capital letters.
    """
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise UsageError(f"{code!r} is no currency: its three letters are needed, such as 'USD'")


def exact(amount: Amount) -> Decimal:
    """Return an amount as a decimal; of a float, the digits that it is written with."""
    return amount if isinstance(amount, Decimal) else Decimal(str(amount))


def decimals(amount: Amount, currency: str) -> int:
    """Return how many decimals an amount is written with: the currency's, or all that it has."""
    usual = 0 if currency in _NO_MINOR_UNIT else get_currency_precision(currency)
    exponent = exact(amount).normalize().as_tuple().exponent
    return max(usual, -exponent if isinstance(exponent, int) else 0)


def grouped(amount: Amount, currency: str) -> str:
    """Return the digits of an amount alone, in groups of three."""
    return f"{exact(amount):,.{decimals(amount, currency)}f}"


def write_money(amount: Amount, currency: str, locale: Locale) -> str:
    """Return an amount as people of its country read it; no digit is ever rounded away.

    :param locale: of the page; decides for currencies of no one country.
    """
    if currency == "JPY":
        # Before the sign of the currency, as Babel has it for all others.
        minus = "-" if exact(amount) < 0 else ""
        return minus + _("%(yen)s円", yen=grouped(abs(exact(amount)), currency))
    home = Locale.parse(_HOMES[currency]) if currency in _HOMES else locale
    pattern = home.currency_formats["standard"].pattern
    fraction = "." + "0" * decimals(amount, currency)
    pattern = re.sub(r"0\.0+", "0" + fraction.rstrip("."), pattern)
    if currency in _SIGNS:
        pattern = pattern.replace("¤", _SIGNS[currency])
    text = format_currency(
        exact(amount), currency, format=pattern, locale=home, currency_digits=False
    )
    return text.translate(_NARROW)
