"""A campaign's draft, as the wizard of the console reads and writes it: one row, at every step.

Each step changes what is its own in the campaign as it is now, so that what somebody else did on
another step is never lost; of two on the same step the second is told.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from flask import abort

from ..errors import Refused
from ..marketing.campaigns import planning
from ..marketing.campaigns.definition import Audience
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.campaigns.definition import SentLately
from ..marketing.campaigns.definition import Tracked
from ..marketing.campaigns.definition import Variant
from ..marketing.campaigns.estimating import Estimation
from ..marketing.campaigns.estimating import estimate_campaign
from ..marketing.segments import audience
from ..marketing.segments.errors import InvalidRule
from ..marketing.segments.rules import read_rule
from ..marketing.segments.rules import write_rule
from ..models import CampaignPlan
from ..outbox import budget
from ..shop.categories import ACCOUNT
from ..shop.categories import Category
from ..state import LineState
from .audit import note
from .i18n import gettext as _

#: Stands for messages where people are counted: they may be half written.
_ANY = '"…"'
SEGMENT = "segment:"
#: What an audience is called that no field of the wizard says: the draft keeps it.
KEPT = "kept"
#: The days in which whoever got an advertisement is left out, of which an owner has the choice.
LATELY = (0, 1, 3, 7, 14)
_NAME = re.compile(r"campaign_[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Draft:
    """A campaign on its way through the wizard.

    :ivar version: of the row that was read; 0: there is none yet.
    """

    definition: Definition
    version: int
    state: str = "draft"

    @property
    def name(self) -> str:
        """What the row is known by."""
        return self.definition.name

    @property
    def is_written(self) -> bool:
        """Whether there is a message."""
        messages = [json.loads(one.message) for one in self.definition.variants]
        return not any(isinstance(one, dict) and one.get("text") == "" for one in messages)

    @property
    def reached(self) -> int:
        """How many of the wizard's steps are done."""
        if not self.version:
            return 0
        return 4 if self.is_written else 1


def new_name() -> str:
    """Return a name that no other campaign has."""
    return f"campaign_{secrets.token_hex(4)}"


def unwritten() -> str:
    """Return a message that is to be written: a text, and a button that leads to the shop."""
    button = {"label": _("お店を見る"), "url": "/"}
    return json.dumps({"text": "", "button": button}, ensure_ascii=False)


def blank(line: LineState, name: str, segment: str = "") -> Draft:
    """Return a draft of which nothing is decided.

    :param name: as a form has it; another one is taken instead of what is none.
    :param segment: for whom it is.
    """
    to: Audience = Everybody.LINKED
    if segment:
        to = audience_of(line, f"{SEGMENT}{segment}", to)
    definition = Definition(
        name=name if _NAME.fullmatch(name) else new_name(),
        label="",
        to=to,
        variants=(Variant("", 1, unwritten()),),
        category=usual_category(line).name,
        tracked=Tracked.PERSONAL,
    )
    return Draft(definition, 0)


def find(line: LineState, name: str) -> Draft:
    """Return a draft, or a plan whose time is to come; else there is no such page.

    :raises Refused: it has begun.
    """
    plan = planning.find_plan(line.session, name)
    if plan is None:
        abort(404)
    if plan.state not in planning.CHANGEABLE:
        raise Refused(
            _("この配信はもう始まったか、終わりました。複製すると、同じ内容で作れます。"),
            step="campaign",
        )
    return Draft(planning.definition_of(plan), plan.version, plan.state)


def save(line: LineState, definition: Definition, version: int) -> CampaignPlan:
    """Write a step's changes down, and who made them, inside the caller's transaction.

    :param version: that the form was made of.
    :raises ChangedMeanwhile: somebody else changed it.
    :raises UsageError: it has begun.
    """
    plan = planning.save_plan(line, definition, after=version or None)
    note("campaign-saved", subject=f"campaign:{definition.name}")
    return plan


def audience_of(line: LineState, value: str, now: Audience) -> Audience:
    """Return for whom a campaign is, as the field of the form says.

    :param now: as it is.
    :raises InvalidRule: there is no such segment, or it asks for what is gone.
    """
    if value == KEPT:
        return now
    if value in {one.value for one in Everybody}:
        return Everybody(value)
    name = value.removeprefix(SEGMENT)
    if name not in audience.segment_labels(line):
        raise InvalidRule(_("この絞り込みは、いまはありません。ほかの相手を選んでください。"))
    if audience.problem_of_segment(line, name) is not None:
        raise InvalidRule(_("この絞り込みは、いまは使えません。ほかの相手を選んでください。"))
    return read_rule({"segment": name})


def value_of(to: Audience) -> str:
    """Return what the field says of an audience."""
    if isinstance(to, Everybody):
        return to.value
    written = write_rule(to)
    return f"{SEGMENT}{written['segment']}" if set(written) == {"segment"} else KEPT


def with_audience(definition: Definition, to: Audience) -> Definition:
    """Return a campaign for other people; of all friends nobody can be left out or compared."""
    if to is not Everybody.FRIENDS:
        tracked = Tracked.PERSONAL if definition.tracked is Tracked.SHARED else definition.tracked
        return replace(definition, to=to, tracked=tracked)
    return replace(
        definition,
        to=to,
        variants=(replace(definition.variants[0], name="", weight=1),),
        hold_out=0,
        unless_sent=(),
        tracked=Tracked.SHARED,
    )


def lately_of(definition: Definition) -> int:
    """Return in how many days whoever got an advertisement is left out; 0: nobody is."""
    return next((one.days for one in definition.unless_sent if _is_advertising(one)), 0)


def with_lately(definition: Definition, days: int) -> Definition:
    """Return a campaign that leaves out whoever got an advertisement in the last days."""
    others = tuple(one for one in definition.unless_sent if not _is_advertising(one))
    more = (SentLately("category", "advertising", days),) if days else ()
    return replace(definition, unless_sent=(*others, *more))


def categories(line: LineState) -> Sequence[Category]:
    """Return the kinds of messages that a campaign may be, advertising first."""
    found = {one.name: one for one in (*line.shop.categories, ACCOUNT)}
    return sorted(found.values(), key=lambda one: not one.is_marketing)


def usual_category(line: LineState) -> Category:
    """Return the kind that is meant where nobody says: news, or the shop's first advertising."""
    found = categories(line)
    return next((one for one in found if one.name == "news"), found[0])


def count(line: LineState, definition: Definition) -> Estimation | None:
    """Count whom it would reach now and what that costs; ``None`` where that can't be said."""
    variants = tuple(replace(one, message=_ANY) for one in definition.variants)
    try:
        return estimate_campaign(line, replace(definition, variants=variants))
    except InvalidRule:
        return None


def month(line: LineState) -> str:
    """Return the month to which its messages count."""
    return budget.month_of(line.clock())


def _is_advertising(one: SentLately) -> bool:
    return (one.kind, one.name) == ("category", "advertising")
