"""``flask line scenario results``: what a scenario's steps brought, and whether it is luck."""

from __future__ import annotations

import re
from datetime import date

import click
from babel import Locale
from flask.cli import with_appcontext
from sqlalchemy import select

from ..i18n import languages
from ..i18n import speaking
from ..marketing.campaigns.sides import quarter_of
from ..marketing.results import words
from ..marketing.results.figures import figures_of
from ..marketing.results.orders import orders_of
from ..marketing.results.scenario_effect import judge_scenario
from ..models import PublishedScenario
from ..state import LineState
from ..state import current_line
from .pausing import said
from .tables import Row
from .tables import as_json
from .tables import show
from .tables import write_json

_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)


@click.command("results")
@click.argument("name")
@click.option("--quarter", help="Whose beginnings are compared, such as 2026-Q3; this one without.")
@click.option("--language", type=click.Choice(list(languages())), default="ja", show_default=True)
@as_json
@with_appcontext
def results(name: str, quarter: str | None, language: str, is_json: bool) -> None:
    """Say what a scenario's steps brought, and what it did against who was held out.

    The figures are of all its time; the comparison is of those who began in one quarter.
    """
    line = current_line
    statement = select(PublishedScenario.id).where(PublishedScenario.name == name)
    scenario_id = line.session.scalar(statement)
    if scenario_id is None:
        raise click.ClickException(f"the scenario {name} was never published")
    first = _first_day(quarter or quarter_of(line.clock(), line.config.zone))
    rows, told = _steps(line, scenario_id), _told(line, scenario_id, first, language)
    if is_json:
        write_json({"steps": rows, "words": told})
        return
    show(rows, is_json=False, empty="Nothing was counted yet.")
    click.echo()
    for sentence in told:
        click.echo(sentence)


def _first_day(quarter: str) -> date:
    found = _QUARTER.fullmatch(quarter)
    if found is None or found[1] == "0000":
        raise click.ClickException(f"{quarter!r}: a quarter is written such as 2026-Q3")
    return date(int(found[1]), int(found[2]) * 3 - 2, 1)


def _steps(line: LineState, scenario_id: int) -> list[Row]:
    with said():
        orders = orders_of(line)
    return [
        {
            "step": place.step or "-",
            "accepted": figures["accepted"],
            "taps": figures["clicks"],
            "people tapped": figures["clickers"],
            "buyers": figures["buyers"],
            "direct orders": figures["orders_direct"],
            "indirect orders": figures["orders_indirect"],
            "sales": str(figures.sales if orders is None else orders.amount(figures.sales)),
        }
        for place, figures in figures_of(line.session, scenario_id=scenario_id).items()
    ]


def _told(line: LineState, scenario_id: int, first: date, language: str) -> list[str]:
    config = line.config
    worthwhile = config.worthwhile_buyers / words.AMONG
    judgement = judge_scenario(
        line.session, scenario_id, first, config.zone, worthwhile=worthwhile, now=line.clock()
    )
    with said():
        orders = orders_of(line)
    with speaking(language):
        sentences = [words.tell(judgement)]
        if orders is not None:
            sentences.append(words.tell_sales(judgement, orders, Locale.parse(language)))
    return [sentence for sentence in sentences if sentence]
