"""What the shop's scenarios have done: runs and their steps, messages, taps and ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..extensions import db
from .told import EVENTS
from .told import Person
from .told import Told

#: Since when the shop confirms orders on LINE, and how often somebody forgets a cart, in a year.
CONFIRMED, CARTS = timedelta(days=75), 0.4
#: Of a hundred carts so many are bought after the reminder, or emptied.
BOUGHT, EMPTIED = 16, 20
#: Three hours before the owner's day begins: ten in Japan.
_TEN = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it was done for somebody.

    :ivar owner: of its message: the scenario and the step.
    """

    scenario: str
    name: str
    category: str
    text: str
    owner: Mapping[str, Any]
    link_id: int
    version_id: int


class Scenarios:
    """The steps that are told of, once the scenarios are switched on."""

    STEPS = (
        ("order_confirmed", "confirm", "order", "ご注文ありがとうございます", "/my-page"),
        ("cart_left", "remind", "cart", "お買い忘れはありませんか？", "/cart"),
        ("birthday", "gift", "birthday", "もうすぐお誕生日ですね。感謝をこめて。", "/"),
    )

    def __init__(self, told: Told, session: Session):
        self._told = told
        published, version = (db.metadata.tables[f"lineconnect_{name}"] for name in _TABLES)
        ids = {name: key for key, name in session.execute(select(published.c.id, published.c.name))}
        versions = dict(session.execute(select(version.c.scenario_id, version.c.id)).all())
        session.execute(update(version).values(published_at=told.now - EVENTS))
        self.steps = {
            scenario: Step(
                scenario,
                name,
                category,
                text,
                {"scenario_id": ids[scenario], "step": name},
                told.link("開く", told.began_at, target, scenario_id=ids[scenario], step=name),
                versions[ids[scenario]],
            )
            for scenario, name, category, text, target in self.STEPS
        }

    def run(
        self,
        scenario: str,
        person: Person,
        at: datetime,
        *,
        key: str = "",
        ended: tuple[datetime, str] | None = None,
        waits: tuple[str, datetime] | None = None,
        subject: str | None = None,
    ) -> Step:
        """Write one member's way through a scenario, and the message of its step.

        :param ended: when and why; ``waits``: at which step it stands until when.
        """
        told, step = self._told, self.steps[scenario]
        run_id = told.rows.new_line_id("scenario_run")
        told.rows.add_line(
            "scenario_run",
            id=run_id,
            scenario_id=step.owner["scenario_id"],
            version_id=step.version_id,
            member_id=person.id,
            key=key,
            step=waits[0] if waits else step.name,
            due_at=waits[1] if waits else None,
            began_at=at,
            moved_at=at,
            ended_at=ended and ended[0],
            end_reason=ended and ended[1],
            facts={},
            subject=subject,
            attempts=0,
        )
        told.rows.add_line(
            "scenario_step", run_id=run_id, step=step.name, outcome="queued", reason=None, at=at
        )
        message = told.message(person, at, step.category, step.text, run_id=run_id)
        told.touch(person, at, step.category, step.owner, message)
        return step


_TABLES = ("scenario", "scenario_version")


def play(told: Told, session: Session) -> None:
    """Let scenarios have run, since the extension keeps it."""
    scenarios = Scenarios(told, session)
    for order in told.orders:
        person, at = order.person, order.at
        if told.now - at < CONFIRMED and person.is_reached(at):
            ended = at + timedelta(seconds=20), "finished"
            subject = f"order:{order.id}"
            scenarios.run("order_confirmed", person, at, key=subject, ended=ended, subject=subject)
    for person in told.people:
        _birthday(told, scenarios, person)
    _carts(told, scenarios)


def _birthday(told: Told, scenarios: Scenarios, person: Person) -> None:
    if person.born_on is None:
        return
    year = told.now.year
    days = [
        datetime(
            each, person.born_on.month, min(person.born_on.day, 28), _TEN, tzinfo=told.now.tzinfo
        )
        for each in (year - 1, year, year + 1)
    ]
    for day in days:
        at = day - timedelta(days=15)
        until = at + timedelta(days=27)
        if not (told.now - EVENTS < at < told.now and person.is_reached(at)):
            continue
        is_over = until < told.now
        step = scenarios.run(
            "birthday",
            person,
            at,
            key=f"{day:%Y-%m-%d}",
            ended=(until, "finished") if is_over else None,
            waits=None if is_over else ("still_there", until),
        )
        if told.chance.random() < 0.28:
            told.tap(
                person,
                min(at + timedelta(hours=9 * told.chance.random()), told.now),
                step.link_id,
                step.owner,
            )


def _carts(told: Told, scenarios: Scenarios) -> None:
    """Let carts be forgotten; some are bought after the word, as orders that are there already."""
    chance, kept = told.chance, told.now - EVENTS
    for number, order in enumerate(told.orders):
        person, at = order.person, order.at - timedelta(hours=1 + 18 * chance.random())
        if at < kept or not person.is_reached(at) or chance.random() > CARTS:
            continue
        key = f"cart:{number}"
        others = [(order.at, "goal")] if chance.randrange(100) < BOUGHT else []
        if not others:
            at -= timedelta(days=9)
            why = "exit: cart.emptied" if chance.randrange(100) < EMPTIED else "finished"
            others = [(at + timedelta(days=2), why)]
        if at < kept or not person.is_reached(at):
            continue
        step = scenarios.run("cart_left", person, at, key=key, ended=others[0])
        if others[0][1] == "goal" or chance.random() < 0.12:
            tapped_at = min(at + timedelta(minutes=3 + 40 * chance.random()), told.now)
            told.tap(person, tapped_at, step.link_id, step.owner)
