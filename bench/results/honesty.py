"""Do the words keep their promise? Campaigns over simulated customers whose true effect is known.

``pip install -e '.[dev]' && python bench/results/honesty.py``: of 1,000 campaigns the intervals of
95 % must hold the truth in 93 to 97 %, and of those without an effect at most 5 % may be called
one. All go through the same functions as a shop's results; ``--through-tables`` campaigns more go
through the tables of a shop, too: members, orders told as events, attribution, and back.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy
from numpy.random import Generator
from shop import NOW
from shop import make_shop
from sqlalchemy import insert

from flask_lineconnect.i18n import speaking
from flask_lineconnect.marketing.handling import handle_due
from flask_lineconnect.marketing.results import words
from flask_lineconnect.marketing.results.attribution import Windows
from flask_lineconnect.marketing.results.effect import judge
from flask_lineconnect.marketing.results.effect import sides_of
from flask_lineconnect.marketing.results.statistics import Arm
from flask_lineconnect.marketing.results.statistics import rate_difference
from flask_lineconnect.marketing.results.statistics import sales_difference
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import CampaignMember
from flask_lineconnect.models import MemberEvent
from flask_lineconnect.state import LineState
from tests.small_shop import User

#: What one order is worth, in yen: most are small, some are large.
LOG_MEAN, LOG_SPREAD = 8.0, 0.7
MEAN_ORDER = math.exp(LOG_MEAN + LOG_SPREAD**2 / 2)
WORTHWHILE = 0.005


@dataclass(frozen=True, slots=True)
class Truth:
    """One campaign as it truly is.

    :ivar base: buyers per person who is not sent it; ``effect`` more of who is.
    """

    people: int
    share_held_out: float
    base: float
    effect: float

    def arms(self, chance: Generator) -> tuple[Arm, Arm]:
        """Let customers decide."""
        held_out = round(self.people * self.share_held_out)
        treated = self._arm(chance, self.people - held_out, self.base + self.effect)
        return treated, self._arm(chance, held_out, self.base)

    def _arm(self, chance: Generator, people: int, rate: float) -> Arm:
        buyers = chance.binomial(people, rate)
        amounts = numpy.rint(chance.lognormal(LOG_MEAN, LOG_SPREAD, buyers))
        return Arm(people, [int(amount) for amount in amounts])


def campaigns(count: int, chance: Generator) -> Iterator[Truth]:
    """Return campaigns of many sizes; every second one has no effect."""
    for number in range(count):
        yield Truth(
            people=int(chance.integers(3_000, 30_000)),
            share_held_out=float(chance.choice([0.1, 0.2, 0.4])),
            base=float(chance.uniform(0.02, 0.08)),
            effect=0.0 if number % 2 else float(chance.uniform(-0.01, 0.03)),
        )


def main() -> None:
    """Simulate, count, and fail if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1_000)
    parser.add_argument("--through-tables", type=int, default=3)
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    chance = numpy.random.default_rng(options.seed)
    broken = _through_functions(options.campaigns, chance)
    if options.through_tables:
        broken += _through_tables(options.through_tables, chance)
    print("\n".join(broken) or "Every promise is kept.")
    sys.exit(1 if broken else 0)


def _through_functions(count: int, chance: Generator) -> list[str]:
    held: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    kinds: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for truth in campaigns(count, chance):
        treated, alone = truth.arms(chance)
        true_sales = truth.effect * MEAN_ORDER
        for name, found, true in (
            ("buyers", rate_difference(treated, alone), truth.effect),
            ("sales", sales_difference(treated, alone), true_sales),
        ):
            if found is not None:
                asked[name] += 1
                held[name] += found.low <= true <= found.high
        kind = judge(treated, alone, is_over=True, worthwhile=WORTHWHILE).kind
        kinds[truth.effect == 0][kind] += 1
    broken = []
    for name, times in asked.items():
        share = held[name] / times
        print(f"{name}: {held[name]:,} of {times:,} intervals hold the truth, {share:.1%}")
        if not 0.93 <= share <= 0.97:
            broken.append(f"the intervals of {name} hold the truth in {share:.1%}")
    without = kinds[True]
    wrong = (without["better"] + without["worse"]) / max(without.total(), 1)
    print(f"without an effect: {dict(without)}; called one in {wrong:.1%}")
    print(f"with one: {dict(kinds[False])}")
    if wrong > 0.05:
        broken.append(f"no effect is called one in {wrong:.1%}")
    return broken


def _through_tables(count: int, chance: Generator) -> list[str]:
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        app = make_shop(f"sqlite:///{folder}/shop.db")
        with app.app_context():
            line: LineState = app.extensions["lineconnect"]
            for number in range(count):
                truth = Truth(2_000, 0.5, 0.05, 0.06 if number % 2 == 0 else 0.0)
                treated, alone = truth.arms(chance)
                campaign = _write(line, number, treated, alone)
                handle_due(line)
                sides = sides_of(line.session, campaign, Windows(), now=NOW)
                found = sides.treated["all"]
                if sorted(found.amounts) != sorted(treated.amounts) or found.people != (
                    treated.people
                ):
                    broken.append(f"campaign {number} lost people or orders on its way")
                with speaking("en"):
                    print(f"truth {truth.effect:+.0%}: {words.tell(sides.judge(WORTHWHILE))}")
            line.session.remove()
    return broken


def _write(line: LineState, number: int, treated: Arm, alone: Arm) -> Campaign:
    """Write down a campaign that is over, for whom it was, and what they ordered."""
    session, began = line.session, NOW - timedelta(days=10)
    campaign = Campaign(
        key=f"simulated-{number}",
        category="news",
        state="finished",
        created_at=began,
        finished_at=began + timedelta(hours=1),
    )
    people = [User(name=f"{number}-{n}") for n in range(treated.people + alone.people)]
    session.add_all([campaign, *people])
    session.flush()
    ids = [one.id for one in people]
    sides = [(False, treated, ids[: treated.people]), (True, alone, ids[treated.people :])]
    for is_held_out, arm, members in sides:
        rows = [{"campaign_id": campaign.id, "member_id": one, "variant": "all"} for one in members]
        session.execute(
            insert(CampaignMember), [{**one, "is_held_out": is_held_out} for one in rows]
        )
        events = [
            {
                "name": "order.placed",
                "member_id": one,
                "facts": {"total": amount},
                "occurred_at": began + timedelta(days=1),
                "next_attempt_at": NOW,
            }
            for one, amount in zip(members, arm.amounts, strict=False)
        ]
        if events:
            session.execute(insert(MemberEvent), events)
    session.commit()
    return campaign


if __name__ == "__main__":
    main()
