"""How days, numbers and codes are written on the shop's pages."""

from __future__ import annotations

import re
from datetime import date
from datetime import datetime

from flask import Flask
from flask import current_app
from flask_babel import format_date
from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from markupsafe import Markup

from ..points import points_for

#: How reasons of bookings are kept, and how they are told.
_REASONS = {
    r"ご注文 (?P<number>\S+)": lazy_gettext("ご注文 %(number)s"),
    r"ご注文のキャンセル (?P<number>\S+)": lazy_gettext("ご注文のキャンセル %(number)s"),
    r"店頭でのお買い物 (?P<yen>[\d,]+)円": lazy_gettext("店頭でのお買い物 %(yen)s円"),
    r"ポイントでのお支払い": lazy_gettext("ポイントでのお支払い"),
    r"以前のカードからの引き継ぎ": lazy_gettext("以前のカードからの引き継ぎ"),
}
#: Of mobile numbers in Japan; others have ten.
MOBILE_DIGITS = 11


def register_filters(app: Flask) -> None:
    """Let the templates use them."""
    filters = {
        "card_number": card_number,
        "day": day,
        "phone": phone,
        "points": points,
        "postal_code": postal_code,
        "qr": qr,
        "reason": reason,
        "words": words,
    }
    app.jinja_env.filters.update(filters)


def number(amount: int) -> str:
    """Return a whole number as people read it."""
    return str(format_decimal(amount))


def money(yen: int) -> str:
    """Return an amount of yen as people read it."""
    return str(_("%(yen)s円", yen=number(yen)))


def points(amount: int) -> str:
    """Return the points that a purchase earns."""
    return number(points_for(amount))


def words(text: str) -> str:
    """Return a text of the catalogue of products in the customer's language."""
    return str(_(text)) if text else ""


def day(moment: datetime | date) -> str:
    """Return a day in the shop's zone, as people read it."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(current_app.config["SHOP_ZONE"]).date()
    text: str = format_date(moment, "long")
    return text


def postal_code(digits: str) -> str:
    """Return a postal code as it is written on a parcel."""
    return f"{digits[:3]}-{digits[3:]}"


def phone(digits: str) -> str:
    """Return a telephone number; of mobile ones it is known where the hyphens stand."""
    is_mobile = len(digits) == MOBILE_DIGITS and digits.startswith("0")
    return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}" if is_mobile else digits


def reason(text: str) -> str:
    """Return why points were booked, in the customer's language; it is kept in the shop's."""
    for pattern, words_of in _REASONS.items():
        if found := re.fullmatch(pattern, text):
            values = found.groupdict()
            if "yen" in values:
                values["yen"] = number(int(values["yen"].replace(",", "")))
            return str(words_of) % values
    return text


def card_number(number: str) -> str:
    """Return a card number in groups of four, as the card in LINE writes it."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def qr(data: str) -> Markup:
    """Draw a QR code as SVG."""
    # Loaded with the first one: no command of the shop needs it.
    import segno

    code = segno.make(data, error="m", micro=False)
    return Markup(code.svg_inline(border=2, omitsize=True, svgclass="shop-qr", lineclass=None))
