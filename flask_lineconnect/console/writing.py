"""How the console writes figures, moments and units; for its templates and charts."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import timedelta

from babel import Locale
from babel import dates
from flask_babel import format_decimal

from ..i18n import speaking
from ..marketing.results.orders import orders_of
from ..shop.money import write_money
from ..state import current_line
from .i18n import gettext as _
from .i18n import spoken


def number(value: float) -> str:
    """Return a figure; a minus is one."""
    return str(format_decimal(value)).replace("-", "−")


def people(count: int) -> str:
    """Return so many people."""
    if count == 1:
        return _("1人")
    return _("%(n)s人", n=number(count))


def messages(count: int) -> str:
    """Return so many messages, as LINE counts them."""
    if count == 1:
        return _("1通")
    return _("%(n)s通", n=number(count))


def yen(amount: float) -> str:
    """Return so many yen."""
    return _("%(n)s円", n=number(round(amount)))


def money(units: int) -> str:
    """Return an amount of the shop's orders, which are whole numbers of the smallest unit."""
    orders = orders_of(current_line)
    if orders is None:
        return "—"
    with speaking(spoken()):
        return write_money(orders.amount(units), orders.currency, Locale.parse(spoken()))


def share(part: int, whole: int) -> str:
    """Return a part of a whole in per cent; nothing has no part."""
    return "—" if whole == 0 else f"{100 * part / whole:.1f}%"


def local(moment: datetime) -> datetime:
    """Return a moment by the shop's clocks."""
    return moment.astimezone(current_line.config.zone)


def today() -> date:
    """Return the day that it is in the shop."""
    return local(current_line.clock()).date()


def day(moment: date | datetime) -> str:
    """Return a day with its weekday; one of another year with the year."""
    found = local(moment).date() if isinstance(moment, datetime) else moment
    if spoken() == "ja":
        weekday = "月火水木金土日"[found.weekday()]
        year = f"{found.year}年" if found.year != today().year else ""
        return f"{year}{found.month}月{found.day}日（{weekday}）"
    skeleton = "MMMEd" if found.year == today().year else "yMMMEd"
    return dates.format_skeleton(skeleton, found, locale=spoken())


def month(first: date) -> str:
    """Return a month of any year."""
    if spoken() == "ja":
        return f"{first.year}年{first.month}月"
    return str(dates.format_skeleton("yMMMM", first, locale=spoken()))


def month_key(first: date) -> str:
    """Return a month for a table or an axis."""
    return f"{first.year}/{first.month}"


def people_among(count: float) -> str:
    """Return people among others, such as 1,000: with a decimal."""
    return _("%(n)s人", n=f"{count:,.1f}")


def short_day(found: date) -> str:
    """Return a day for an axis or a table."""
    return f"{found.month}/{found.day}"


def short_date(moment: datetime) -> str:
    """Return a day of any year for a table."""
    found = local(moment).date()
    return f"{found.year}/{found.month}/{found.day}"


def time(moment: datetime) -> str:
    """Return the time of the day."""
    return f"{local(moment):%H:%M}"


def moment(found: datetime) -> str:
    """Return day and time for a list."""
    at = local(found)
    year = f"{at.year}/" if at.year != today().year else ""
    return f"{year}{at.month}/{at.day} {at:%H:%M}"


def waited(since: datetime) -> str:
    """Return how long somebody has been waiting."""
    minutes = max(0, int((current_line.clock() - since) / timedelta(minutes=1)))
    if minutes < 60:
        return _("%(n)s分", n=minutes)
    if minutes < 24 * 60:
        return _("%(h)s時間%(m)s分", h=minutes // 60, m=minutes % 60)
    return _("%(n)s日", n=minutes // (24 * 60))
