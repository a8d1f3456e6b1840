"""Looks for everything that is wrong with a campaign before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from ...errors import LineConnectError
from ...models import Campaign
from ...models import CampaignPlan
from ...models import PublishedScenario
from ...shop.categories import category_named
from ...state import LineState
from ..registry import did_you_mean
from ..scenarios.checking import ALWAYS
from ..scenarios.checking import Problem
from ..scenarios.checking import World
from ..scenarios.draft_checking import check_message
from ..segments.audience import members_where
from ..segments.errors import InvalidRule
from ..segments.sends import categories_of
from .definition import Definition
from .definition import Everybody
from .definition import InvalidCampaign
from .definition import SentLately
from .definition import Tracked
from .messages import is_personal
from .messages import messages_for


def check_campaign(line: LineState, definition: Definition) -> Sequence[Problem]:
    """Return what is wrong with a campaign; nothing: it can begin."""
    check = _Check(line, definition)
    check.audience()
    check.category()
    check.messages()
    for number, one in enumerate(definition.unless_sent):
        check.sent_lately(one, f"unless_sent[{number}]")
    if definition.is_broadcast and not check.problems:
        check.broadcast()
    return check.problems


def refuse_problems(line: LineState, definition: Definition) -> None:
    """Let nothing begin that can't.

    :raises InvalidCampaign: something is wrong; names the first, and how many there are.
    """
    problems = check_campaign(line, definition)
    if problems:
        first, more = problems[0], len(problems) - 1
        said = f" (and {more} more; `flask line campaign check` shows them)" if more else ""
        raise InvalidCampaign(f"{first.message}{said}", place=first.place)


class _Check:
    """Looks at one campaign, and keeps what is wrong."""

    def __init__(self, line: LineState, definition: Definition):
        self.problems: list[Problem] = []
        self._line = line
        self._definition = definition

    def audience(self) -> None:
        """Ask whether there are its segments and attributes."""
        to = self._definition.to
        if isinstance(to, Everybody):
            return
        try:
            members_where(self._line, to)
        except InvalidRule as error:
            self._say(f"to.{error.place}" if error.place else "to", error.message)

    def category(self) -> None:
        """Ask whether there is its category."""
        try:
            category_named(self._line.shop.categories, self._definition.category)
        except LineConnectError as error:
            self._say("category", str(error))

    def messages(self) -> None:
        """Hold its messages against LINE's limits, with the longest values and in each language."""
        world = World.of(self._line)
        known = world.known_beside({**ALWAYS, **world.attributes})
        for number, variant in enumerate(self._definition.variants):
            place = f"variants[{number}].message" if variant.name else "message"
            _drafts, problems = check_message(
                variant.message, known, place, world.languages, world.manner
            )
            for where, message in problems:
                self._say(where, message)

    def sent_lately(self, one: SentLately, place: str) -> None:
        """Ask whether there is what some have got lately."""
        line = self._line
        if one.kind == "category":
            try:
                categories_of(one.name, line.shop.categories, place=place)
            except InvalidRule as error:
                self._say(place, error.message)
            return
        if one.kind == "scenario":
            names = set(line.session.scalars(select(PublishedScenario.name)))
        else:
            names = {
                *line.session.scalars(select(CampaignPlan.name)),
                *line.session.scalars(select(Campaign.key).where(Campaign.key == one.name)),
            }
        if one.name not in names:
            near = did_you_mean(one.name, names)
            self._say(place, f"there is no {one.kind} {one.name!r}{near}")

    def broadcast(self) -> None:
        """Refuse what a message to all friends can't have: LINE chooses who gets it."""
        definition = self._definition
        if len(definition.variants) > 1:
            self._say("variants", "a message to all friends is one; compare with to = linked")
        if definition.hold_out:
            self._say("hold_out", "of all friends nobody can be left out; use to = linked")
        if definition.unless_sent:
            self._say("unless_sent", "of all friends nobody can be left out; use to = linked")
        if definition.tracked is Tracked.PERSONAL:
            self._say("tracked", "a message to all friends is the same for all; use shared")
        elif is_personal(definition, messages_for(self._line)):
            self._say("message", "a message to all friends is the same for all, without values")

    def _say(self, place: str, message: str) -> None:
        self.problems.append(Problem(f"{self._definition.name}.{place}", message))
