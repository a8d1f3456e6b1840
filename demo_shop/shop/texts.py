"""How prices, days and codes are written on the shop's pages."""

from __future__ import annotations

from datetime import date
from datetime import datetime

import segno
from flask import Flask
from flask import current_app
from flask_babel import format_date
from flask_babel import gettext as _
from markupsafe import Markup


def register_filters(app: Flask) -> None:
    """Let the templates use them."""
    app.jinja_env.filters.update(yen=yen, day=day, qr=qr)


def yen(amount: int) -> str:
    """Return a price in yen."""
    return str(_("%(amount)s円", amount=f"{amount:,}"))


def day(moment: datetime | date) -> str:
    """Return a day in the shop's zone, as people read it."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(current_app.config["SHOP_ZONE"]).date()
    text: str = format_date(moment, "long")
    return text


def qr(data: str) -> Markup:
    """Draw a QR code as SVG."""
    code = segno.make(data, error="m", micro=False)
    return Markup(code.svg_inline(border=2, omitsize=True, svgclass="qr", lineclass=None))
