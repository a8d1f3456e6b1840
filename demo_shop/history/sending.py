"""The campaigns: to whom each went, and who tapped, bought or blocked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from .occasions import Occasion
from .occasions import occasions
from .told import Person
from .told import Purchase
from .told import Told

#: Of those who tapped so many of a hundred buy, and of a thousand others so many who read it.
BUYING_AFTER_TAP, BUYING_UNTAPPED = 11, 8
#: Of ten thousand so many block it for what they were sent.
BLOCKING = 14
DIRECT, INDIRECT = timedelta(hours=110), timedelta(hours=20)
#: What LINE grants in a month of the plan that the shop has.
GRANTED = 30_000


@dataclass(frozen=True, slots=True)
class Sent:
    """One campaign as it went out."""

    id: int
    occasion: Occasion
    at: datetime
    #: By variant.
    links: dict[str, int]


def send_all(told: Told) -> None:
    """Let each campaign of two years go out, and one wait for its time."""
    months: dict[str, int] = {}
    for occasion, at in _times(told):
        month = f"{at + timedelta(hours=9):%Y-%m}"
        months[month] = months.get(month, 0) + _send(told, occasion, at)
    for month, number in months.items():
        told.rows.add_line(
            "quota_month",
            month=month,
            granted=GRANTED,
            line_used=number,
            own_used=number,
            foreign_used=0,
            alerted=0.0,
        )
    _plan_next(told)


def _times(told: Told) -> list[tuple[Occasion, datetime]]:
    """Return when each campaign went out, at ten in the morning in Japan."""
    years = range(told.began_at.year, told.now.year + 1)
    found = [
        (occasion, datetime(year, occasion.month, occasion.day, 1, tzinfo=UTC))
        for year in years
        for occasion in occasions()
    ]
    # The last one is long enough ago to have its result.
    until = told.now - timedelta(days=6)
    return [one for one in found if told.began_at + timedelta(days=20) < one[1] < until]


def _send(told: Told, occasion: Occasion, at: datetime) -> int:
    """Write one campaign; return how many people it went to."""
    variants = ["plain", "named"] if occasion.others else [""]
    meant = [one for one in told.people if one.linked_at is not None and one.linked_at < at]
    campaign = _campaign(told, occasion, at, variants)
    sides = [0, 0]
    for person in meant:
        variant = told.chance.choice(variants)
        is_held_out = told.chance.randrange(100) < occasion.hold_out
        is_reached = person.is_reached(at)
        sides[is_held_out] += is_reached
        told.rows.add_line(
            "campaign_member",
            campaign_id=campaign.id,
            member_id=person.id,
            account_id=person.account_id,
            variant=variant,
            is_held_out=is_held_out and is_reached,
            reason=None if is_reached else "not a friend",
        )
        if is_reached and not is_held_out:
            _reach(told, campaign, person, variant)
    _finish(told, campaign, variants, len(meant), sides)
    return sides[0]


def _campaign(told: Told, occasion: Occasion, at: datetime, variants: list[str]) -> Sent:
    key = told.rows.new_line_id("campaign")
    links = {
        variant: told.link("お店で見る", at, "/", campaign_id=key, variant=variant)
        for variant in variants
    }
    return Sent(key, occasion, at, links)


def _finish(told: Told, campaign: Sent, variants: list[str], meant: int, sides: list[int]) -> None:
    occasion, at = campaign.occasion, campaign.at
    plan = told.rows.new_line_id("campaign_plan")
    name = f"{occasion.name}_{at.year}"
    definition = definition_of(occasion, variants)
    ended_at = at + timedelta(seconds=30 + sides[0] // 100)
    told.rows.add_line(
        "campaign_plan",
        id=plan,
        name=name,
        label=occasion.label,
        version=1,
        state="finished",
        definition=definition,
        created_at=at - timedelta(days=3),
        updated_at=at,
    )
    told.rows.add_line(
        "campaign",
        id=campaign.id,
        key=name,
        category="news",
        state="finished",
        is_batched=False,
        recipients=sides[0],
        created_at=at,
        finished_at=ended_at,
        plan_id=plan,
        definition=definition,
        meant=meant,
        held_out=sides[1],
        holdout_percent=occasion.hold_out,
    )


def definition_of(occasion: Occasion, variants: list[str]) -> dict[str, Any]:
    """Return a campaign as plans keep it."""
    words = dict(zip(variants, (occasion.text, occasion.others), strict=False))
    found: dict[str, Any] = {"label": occasion.label, "to": "linked", "category": "news"}
    found["tracked"] = "shared"
    if occasion.hold_out:
        found["hold_out"] = occasion.hold_out
    messages = {name: _draft(text) for name, text in words.items()}
    if len(messages) == 1:
        return found | {"message": messages[""]}
    variants_ = [{"name": one, "weight": 1, "message": messages[one]} for one in messages]
    return found | {"variants": variants_}


def _draft(text: str) -> dict[str, Any]:
    return {"text": text, "button": {"label": "お店で見る", "url": "/"}}


def _reach(told: Told, sent: Sent, person: Person, variant: str) -> None:
    """Let LINE accept it for one member, and see what they do."""
    chance, occasion = told.chance, sent.occasion
    at = sent.at + timedelta(seconds=chance.randrange(5, 60))
    owner = {"campaign_id": sent.id, "variant": variant}
    words = occasion.others if variant == "named" else occasion.text
    message = told.message(
        person,
        at,
        "news",
        words.replace("{{ name }}", person.name),
        campaign_id=sent.id,
        dedupe_key=f"lineconnect:campaign:{sent.id}:{person.id}",
    )
    told.touch(person, at, "news", owner, message)
    appeal = occasion.appeal * (occasion.gain if variant == "named" else 1)
    appeal *= min(0.5 + person.eagerness / 2.5, 2.5)
    if chance.random() * 1_000 < appeal:
        _tap(told, sent, person, owner, at)
    elif chance.randrange(1_000) < BUYING_UNTAPPED:
        _buy(told, person, at + INDIRECT * chance.random(), owner | {"kind": "indirect"})
    if person.blocked_at is None and chance.randrange(10_000) < BLOCKING:
        person.blocked_at = min(at + timedelta(hours=80 * chance.random() ** 2), told.now)


def _tap(told: Told, sent: Sent, person: Person, owner: dict[str, Any], at: datetime) -> None:
    chance, link = told.chance, sent.links[owner["variant"]]
    tapped_at = at + timedelta(hours=60 * chance.random() ** 4, minutes=1)
    told.tap(person, tapped_at, link, owner)
    if chance.randrange(100) < BUYING_AFTER_TAP:
        # Within hours, if at all.
        wait = timedelta(minutes=4) + DIRECT * chance.random() ** 5
        _buy(told, person, tapped_at + wait, owner | {"link_id": link, "kind": "direct"})


def _buy(told: Told, person: Person, at: datetime, owner: dict[str, Any]) -> None:
    if at < told.now:
        told.purchases.append(Purchase(at, person, owner))


def _plan_next(told: Told) -> None:
    """Plan the next campaign of the year, and leave the one behind it a draft."""
    year = told.now.year
    times = [
        (datetime(each, one.month, one.day, 1, tzinfo=UTC), one)
        for each in (year, year + 1)
        for one in occasions()
    ]
    # Nothing is to go out while somebody looks round.
    coming = [found for found in times if found[0] > told.now + timedelta(days=2)]
    for (at, occasion), state in zip(coming, ("planned", "draft"), strict=False):
        variants = ["plain", "named"] if occasion.others else [""]
        definition = definition_of(occasion, variants)
        told.rows.add_line(
            "campaign_plan",
            id=told.rows.new_line_id("campaign_plan"),
            name=f"{occasion.name}_{at.year}",
            label=occasion.label,
            version=1,
            state=state,
            definition=definition | {"at": at.isoformat()},
            next_at=at if state == "planned" else None,
            created_at=told.now - timedelta(days=1),
            updated_at=told.now - timedelta(days=1),
        )
