"""What LINE itself counts of a campaign, for a panel of its own; and why there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..line_api.insight import MOST_DAYS
from ..marketing.results.figures import insight_of_campaign
from ..marketing.results.insight import MOVING
from ..models import Campaign
from ..models import LineInsight
from ..state import LineState
from . import writing
from .i18n import gettext as _

#: LINE tells no number of fewer people.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class LineFigures:
    """LINE's figures, in words.

    :ivar facts: what is counted, and the figure.
    :ivar note: what to know of them, or why there are none.
    """

    facts: Sequence[tuple[str, str]]
    note: str = ""


def line_figures(line: LineState, campaign: Campaign) -> LineFigures | None:
    """Return what LINE counts of a campaign; ``None``: it is not asked."""
    found = insight_of_campaign(line.session, campaign.id)
    if found is not None and found.answer:
        return _told(found)
    if not line.config.line_insight or not campaign.recipients:
        return None
    if campaign.created_at < line.clock() - timedelta(days=MOST_DAYS) - MOVING:
        return LineFigures(
            (), _("LINEが数字を残すのは約1か月です。この配信の数字はもうありません。")
        )
    return LineFigures((), _("LINEの数字はまだありません。1日に1回、LINEにたずねています。"))


def _told(found: LineInsight) -> LineFigures:
    facts = []
    delivered = _delivered(found)
    if delivered is not None:
        facts.append((_("届いた（LINE調べ）"), writing.people(delivered)))
    if found.seen is not None:
        facts.append((_("開封（LINE調べ）"), writing.people(found.seen)))
    if found.tapped is not None:
        tapped = writing.people(found.tapped)
        if found.seen:
            share = writing.share(found.tapped, found.seen)
            tapped = f"{tapped}・{_('開封した人の%(share)s', share=share)}"
        facts.append((_("反応（LINE調べ）"), tapped))
    days = {"first": writing.short_day(found.first_day), "last": writing.short_day(found.last_day)}
    facts.append((_("数えた期間"), _("%(first)s〜%(last)s", **days)))
    return LineFigures(facts, _missing(found))


def _delivered(found: LineInsight) -> int | None:
    """Return to how many people it came, which LINE says of messages to all friends."""
    overview = found.answer.get("overview")
    number = overview.get("delivered") if isinstance(overview, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _missing(found: LineInsight) -> str:
    """Say why a figure is not there."""
    absent = [found.seen is None, found.tapped is None]
    if all(absent):
        return _("開封と反応の数はありません。LINEは、%(n)s人に満たない数を教えません。", n=FEWEST)
    if absent[0]:
        return _("開封の数はありません。LINEは、%(n)s人に満たない数を教えません。", n=FEWEST)
    if absent[1]:
        return _("反応の数はありません。LINEは、%(n)s人に満たない数を教えません。", n=FEWEST)
    return ""
