"""The extension's one Flask blueprint: its routes, its guards, what shops' templates may use."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from babel import Locale
from babel import dates
from flask import Flask
from flask import request
from flask_babel import format_date
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from jinja2 import ChoiceLoader
from jinja2 import FileSystemLoader
from markupsafe import Markup

from ..i18n import gettext
from ..liff import api as liff_api
from ..liff import barcodes
from ..liff import link as liff_link
from ..liff import live
from ..liff import membership as liff_membership
from ..liff import offline
from ..liff import orders as liff_orders
from ..liff import views as liff_views
from ..liff.blueprint import LiffBlueprint
from ..linking import accounts
from ..login import chat_views
from ..login import friend
from ..login import guard
from ..login import kept_forms
from ..login import link
from ..login import sign_up
from ..login import unlink
from ..login import views as login_views
from ..state import current_line
from ..webhooks import views as webhook_views
from . import assets
from .guards import WEBHOOK

BLUEPRINT = "lineconnect"
PACKAGE = "flask_lineconnect"

LIFF_PAGES = Path(str(files("flask_lineconnect.liff_pages")))


def make_blueprint(app: Flask) -> LiffBlueprint:
    """Return the blueprint with all routes of the extension, for one app."""
    blueprint = LiffBlueprint(BLUEPRINT, PACKAGE, template_folder="templates")
    blueprint.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(Path(str(files(PACKAGE))) / "templates"),
            FileSystemLoader(LIFF_PAGES / "templates"),
        ]
    )
    for module in (
        login_views,
        sign_up,
        link,
        guard,
        friend,
        kept_forms,
        chat_views,
        unlink,
        liff_views,
        liff_orders,
        liff_membership,
        liff_link,
        liff_api,
        live,
        offline,
        webhook_views,
    ):
        module.register(blueprint)
    assets.register(blueprint, app)
    for filter_ in (local_date, local_moment, short_day):
        app.jinja_env.filters.setdefault(filter_.__name__, filter_)
    exempt_webhook(app)
    return blueprint


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


def short_day(day: date) -> str:
    """Return a day of these weeks, with its weekday."""
    return dates.format_skeleton("MMMEd", day, locale=_locale())


def _locale() -> Locale:
    return get_locale() or Locale("ja")


class TemplateHelpers:
    """What every template of the app may use as ``lineconnect``, macros included."""

    gettext = staticmethod(gettext)
    csrf_token = staticmethod(generate_csrf)

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
        key = accounts.member_key(line.session, member)
        return accounts.account_of(line.session, key) is not None

    @staticmethod
    def qr_svg(data: str, *, label: str) -> Markup:
        """Draw a QR code."""
        return barcodes.qr_svg(data, label=label)

    @staticmethod
    def code128_svg(number: str, *, label: str) -> Markup:
        """Draw a Code 128 barcode."""
        return barcodes.code128_svg(number, label=label)

    @staticmethod
    def jan13_svg(number: str, *, label: str) -> Markup:
        """Draw a JAN-13 barcode."""
        return barcodes.jan13_svg(number, label=label)


def exempt_webhook(app: Flask) -> None:
    """Let LINE's webhook past Flask-WTF's own protection, added before or after us.

    Flask asks its guards in the order in which they were added, so a protection that comes later
    can still be told at the first request.
    """

    def exempt() -> None:
        protection = app.extensions.get("csrf")
        if protection is not None:
            protection.exempt(webhook_views.webhook)

    exempt()
    app.before_request(lambda: exempt() if request.endpoint == WEBHOOK else None)
