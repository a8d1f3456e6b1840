"""``flask line campaign results``: what a campaign brought, and whether that is luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click
from babel import Locale
from flask.cli import with_appcontext
from sqlalchemy import select

from ..errors import LineConnectError
from ..errors import UsageError
from ..i18n import languages
from ..i18n import speaking
from ..marketing.results import words
from ..marketing.results.among import people_among
from ..marketing.results.attribution import Windows
from ..marketing.results.effect import sides_of
from ..marketing.results.figures import Figures
from ..marketing.results.figures import Yardsticks
from ..marketing.results.figures import figures_of
from ..marketing.results.figures import insight_of_campaign
from ..marketing.results.figures import total_of
from ..marketing.results.figures import yardsticks_of
from ..marketing.results.orders import Orders
from ..marketing.results.orders import orders_of
from ..marketing.results.spending import cost_of
from ..marketing.segments.audience import members_in
from ..models import Campaign
from ..models import TrackedLink
from ..state import LineState
from ..state import current_line
from .tables import Row
from .tables import as_json
from .tables import show
from .tables import write_json


@click.command("results")
@click.argument("key")
@click.option("--language", type=click.Choice(list(languages())), default="ja", show_default=True)
@click.option("--segment", help="Show instead how it did among the members of this segment.")
@as_json
@with_appcontext
def results(key: str, language: str, segment: str | None, is_json: bool) -> None:
    """Say what a campaign brought, by variant and link, and whether that is more than luck.

    The figures are the shop's own counts, none of them LINE's.
    """
    line = current_line
    campaign = line.session.scalars(select(Campaign).where(Campaign.key == key)).one_or_none()
    if campaign is None:
        raise click.ClickException(f"there is no campaign {key}")
    orders = _orders(line)
    if segment is not None:
        rows = _among(line, campaign, segment, orders)
        show(rows, is_json=is_json, empty=f"Nobody of {segment} got it.")
        return
    variants, links = _by_variant(line, campaign, orders), _by_link(line, campaign, orders)
    usual = {figure: yardsticks_of(line.session, figure) for figure in ("clicks", "clickers")}
    with speaking(language):
        told = _told(line, campaign, orders, language)
    by_line = _by_line(line, campaign)
    if is_json:
        said = {figure: asdict(one) for figure, one in usual.items()}
        write_json(
            {"variants": variants, "links": links, "usual": said, "line": by_line, "words": told}
        )
        return
    show(variants, is_json=False, empty="Nothing was counted yet.")
    if links:
        click.echo()
        show(links, is_json=False, empty="")
    if usual["clicks"].median is not None:
        click.echo("\nUsual in this shop, per accepted message:")
        show(_usual(usual), is_json=False, empty="")
    if by_line:
        click.echo("\nLINE's own count, of people linked or not:")
        show(by_line, is_json=False, empty="")
    click.echo()
    for sentence in told:
        click.echo(sentence)


def _orders(line: LineState) -> Orders | None:
    try:
        return orders_of(line)
    except UsageError as error:
        raise click.ClickException(str(error)) from None


def _by_variant(line: LineState, campaign: Campaign, orders: Orders | None) -> list[Row]:
    found = figures_of(line.session, campaign_id=campaign.id)
    named = [(place.variant or "-", figures) for place, figures in found.items()]
    if len(named) > 1:
        named.append(("all", total_of(found)))
    return [{"variant": name, **_row(line, campaign, one, orders)} for name, one in named]


def _among(line: LineState, campaign: Campaign, segment: str, orders: Orders | None) -> list[Row]:
    try:
        members = members_in(line, segment)
    except LineConnectError as error:
        raise click.ClickException(str(error)) from None
    found = people_among(line.session, campaign.id, members)
    return [
        {
            "variant": variant or "-",
            "accepted": one["accepted"],
            "people tapped": one["clickers"],
            "people/accepted": _share(one["clickers"], one["accepted"]),
            "buyers": one["buyers"],
            "buyers/accepted": _share(one["buyers"], one["accepted"]),
            "sales": _money(one["sales"], orders),
        }
        for variant, one in found.items()
    ]


def _by_line(line: LineState, campaign: Campaign) -> list[Row]:
    """Return LINE's figures, which are never mixed with ours."""
    found = insight_of_campaign(line.session, campaign.id)
    if found is None:
        return []
    days = {"first day": found.first_day, "last day": found.last_day}
    return [{"seen": found.seen, "tapped": found.tapped, **days}]


def _usual(usual: Mapping[str, Yardsticks]) -> list[Row]:
    names = {"clicks": "taps", "clickers": "people tapped"}
    return [
        {
            "figure": names[figure],
            "median of campaigns": _percent(one.median),
            "messages to all friends": _percent(one.blasts),
        }
        for figure, one in usual.items()
    ]


def _by_link(line: LineState, campaign: Campaign, orders: Orders | None) -> list[Row]:
    found = figures_of(line.session, campaign_id=campaign.id, by_link=True)
    ids = [place.link_id for place in found if place.link_id]
    links = {
        link.id: link
        for link in line.session.scalars(select(TrackedLink).where(TrackedLink.id.in_(ids)))
    }
    return [
        {
            "link": links[place.link_id].label or links[place.link_id].target,
            "variant": place.variant or "-",
            "taps": figures["clicks"],
            "orders": figures["orders_direct"],
            "sales": _money(figures["sales_direct"], orders),
        }
        for place, figures in found.items()
        if place.link_id in links
    ]


def _row(
    line: LineState, campaign: Campaign, figures: Figures, orders: Orders | None
) -> dict[str, Any]:
    cost = cost_of(line, figures["accepted"], campaign.created_at)
    places = 0 if orders is None else orders.places
    per_yen = figures.sales_per_yen(cost, places)
    return {
        "accepted": figures["accepted"],
        "refused": figures["refused"],
        "taps": figures["clicks"],
        "taps/accepted": _percent(figures.rate("clicks")),
        "people tapped": figures["clickers"],
        "people/accepted": _percent(figures.rate("clickers")),
        "direct orders": figures["orders_direct"],
        "buyers": figures["buyers"],
        "orders/accepted": _percent(figures.rate("orders_direct")),
        "direct sales": _money(figures["sales_direct"], orders),
        "indirect orders": figures["orders_indirect"],
        "indirect sales": _money(figures["sales_indirect"], orders),
        "yen": None if cost is None else str(cost),
        "sales/yen": None if per_yen is None else f"{per_yen:.1f}",
        "blocks 24 h": figures["blocks_day"],
        "blocks 7 d": figures["blocks_week"],
        "declined": figures["declined"],
    }


def _told(line: LineState, campaign: Campaign, orders: Orders | None, language: str) -> list[str]:
    config = line.config
    windows = Windows(config.direct_order_hours, config.indirect_order_hours)
    sides = sides_of(line.session, campaign, windows, now=line.clock())
    worthwhile = config.worthwhile_buyers / words.AMONG
    judgement = sides.judge(worthwhile)
    told = [words.tell(judgement)]
    if orders is not None:
        told.append(words.tell_sales(judgement, orders, Locale.parse(language)))
    told += [words.tell_variants(*one) for one in sides.judge_variants(worthwhile)]
    return [sentence for sentence in told if sentence]


def _share(number: int, of: int) -> str | None:
    return _percent(number / of if of else None)


def _percent(rate: float | None) -> str | None:
    return None if rate is None else f"{rate:.1%}"


def _money(units: int, orders: Orders | None) -> str:
    return str(units if orders is None else orders.amount(units))
