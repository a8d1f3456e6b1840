"""The report of a month as the rows of a table, for files and for people who read a terminal."""

from __future__ import annotations

from typing import Any

from babel import Locale

from ...i18n import gettext as _
from ...state import LineState
from . import words
from .month import Group
from .month import MonthReport
from .orders import orders_of


def money_of(line: LineState, units: int) -> str:
    """Return an amount in the currency's main unit, as digits."""
    orders = orders_of(line)
    return str(units if orders is None else orders.amount(units))


def month_rows(line: LineState, found: MonthReport, locale: Locale) -> list[list[Any]]:
    """Return a report in the language that is spoken; rows differ in length.

    :param locale: of that language, for money.
    """
    orders = orders_of(line)

    def about(name: str, group: Group) -> list[Any]:
        rate = f"{group.arm.rate * words.AMONG:.1f}"
        sales = money_of(line, group.sales)
        return [name, group.arm.people, group.arm.buyers, rate, group.orders, sales]

    rows: list[list[Any]] = [
        [_("月"), f"{found.first:%Y-%m}"],
        [_("会員"), _("人数"), _("購入した人"), _("1,000人あたり"), _("購入"), _("売上")],
        about(_("連携会員"), found.linked),
        about(_("連携していない会員"), found.unlinked),
        [words.caution_of_linking()],
        [_("LINEの効果"), words.tell(found.judgement)],
    ]
    if orders is not None and (said := words.tell_sales(found.judgement, orders, locale)):
        rows.append([_("追加売上"), said])
    return rows + _of_messages(line, found)


def _of_messages(line: LineState, found: MonthReport) -> list[list[Any]]:
    empty = "" if found.cost is None else found.cost
    rows: list[list[Any]] = [
        [_("送った数（通）"), found.messages],
        [_("費用（円）"), empty],
        [_("購入1件あたりの費用（円）"), found.cost_per_order or ""],
        [
            _("配信・シナリオ"),
            _("送った"),
            _("反応"),
            _("購入（タップ後）"),
            _("購入（受信後）"),
            _("売上"),
        ],
    ]
    for name, figures in found.sources:
        counted = [figures[one] for one in ("accepted", "clicks")]
        bought = [figures["orders_direct"], figures["orders_indirect"]]
        rows.append([name, *counted, *bought, money_of(line, figures.sales)])
    return rows
