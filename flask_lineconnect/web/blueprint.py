"""The blueprint of our pages: what stands around them, and what shops' templates may use.

``assembly.py`` gives it the features' routes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from babel import Locale
from babel import dates
from flask import Blueprint
from flask import Flask
from flask import Response as FlaskResponse
from flask_babel import format_date
from flask_babel import format_decimal
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.wrappers import Response

from ..errors import Refused
from ..folding import fold_code
from ..folding import fold_text
from ..i18n import gettext as _
from ..i18n import page_gettext
from ..linking import accounts
from ..person_names import Name
from ..shop.money import Amount
from ..shop.money import write_money
from ..state import current_line
from . import barcodes
from . import csrf
from .guards import guard
from .pages import set_headers
from .phrases import phrases
from .theme import style_sheet

BLUEPRINT = "lineconnect"
#: Where the pages' templates are; a shop's of the same name go first.
TEMPLATES = [
    Path(str(files(package))) / "templates"
    for package in ("flask_lineconnect", "flask_lineconnect.liff_pages")
]


class PageBlueprint(Blueprint):
    """A Flask blueprint whose pages are ours: guards before them, headers and refusals after.

    :param show_refusal: answers what a rule refused.
    :param put_headers: puts our headers on an answer.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        show_refusal: Callable[[Refused], Response],
        put_headers: Callable[[FlaskResponse], FlaskResponse] = set_headers,
        **options: Any,
    ):
        super().__init__(name, import_name, **options)
        guard(self, show_refusal, put_headers)


def offer_to_templates(app: Flask) -> None:
    """Give every template of the app our filters, and :class:`TemplateHelpers`."""
    for filter_ in (local_date, local_moment, local_number, money, phrases, short_day):
        app.jinja_env.filters.setdefault(filter_.__name__, filter_)
    app.jinja_env.filters.setdefault(person_name.__name__, person_name)
    app.jinja_env.globals["lineconnect"] = TemplateHelpers()


def person_name(name: str | None, stand_in: str | None = None) -> Name:
    """Return a name as a page shows it.

    :param stand_in: for a name that nobody can see; 「会員」 by default.
    """
    return Name(name, _("会員") if stand_in is None else str(stand_in))


def money(amount: Amount, currency: str = "JPY") -> str:
    """Return an amount as the shops of its country write it."""
    return write_money(amount, currency, _locale())


def local_date(moment: datetime | date) -> str:
    """Return a day as people read it, in the shop's time zone."""
    if isinstance(moment, datetime):
        moment = moment.astimezone(current_line.config.zone).date()
    text: str = format_date(moment, "long")
    return text


def local_moment(moment: datetime) -> str:
    """Return day and time as people read them, in the shop's time zone."""
    zone = current_line.config.zone
    return dates.format_datetime(moment.astimezone(zone), "medium", locale=_locale())


def local_number(number: int) -> str:
    """Return a whole number as people read it."""
    text: str = format_decimal(number)
    return text


def short_day(day: date) -> str:
    """Return a day of these weeks, with its weekday."""
    return dates.format_skeleton("MMMEd", day, locale=_locale())


def _locale() -> Locale:
    return get_locale() or Locale("ja")


class TemplateHelpers:
    """What every template of the app may use as ``lineconnect``, macros included."""

    gettext = staticmethod(page_gettext)
    csrf_token = staticmethod(generate_csrf)
    csrf_field = staticmethod(csrf.hidden_field)
    csrf_field_name = staticmethod(csrf.field_name)
    csrf_header = staticmethod(csrf.header_name)

    @staticmethod
    def theme() -> Markup:
        """Return the colours of the shop's theme, as the text of a style element."""
        return Markup(style_sheet(tuple(current_line.shop.theme.items())))

    @staticmethod
    def has_orders() -> bool:
        """Tell whether the shop has an order desk."""
        return current_line.shop.orders is not None

    @staticmethod
    def store_url(source: str) -> str:
        """Return the address that a store QR code holds; ``source`` names shelf, flyer or store."""
        return current_line.url_for(f"{BLUEPRINT}.login", source=source)

    @staticmethod
    def is_linked(member: Any) -> bool:
        """Tell whether a member is linked to a LINE account."""
        line = current_line
        member = getattr(member, "_get_current_object", lambda: member)()
        return accounts.account_of_member(line, member) is not None

    @staticmethod
    def qr_svg(data: str, *, label: str) -> Markup:
        """Draw a QR code."""
        return barcodes.qr_svg(data, label=label)

    @staticmethod
    def code128_svg(number: str, *, label: str) -> Markup:
        """Draw a Code 128 barcode."""
        return barcodes.code128_svg(fold_text(number), label=label)

    @staticmethod
    def jan13_svg(number: str, *, label: str) -> Markup:
        """Draw a JAN-13 barcode."""
        return barcodes.jan13_svg(fold_code(number), label=label)
