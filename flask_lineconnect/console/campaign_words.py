"""A campaign in an owner's words: for whom, when, and what a comparison will be able to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..marketing.calendar.days import EveryDay
from ..marketing.calendar.days import MonthDay
from ..marketing.calendar.days import Weekdays
from ..marketing.calendar.times import Recurring
from ..marketing.calendar.times import instant
from ..marketing.campaigns.choosing import SENT_LATELY
from ..marketing.campaigns.definition import Audience
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.results.statistics import smallest_difference
from ..marketing.results.words import AMONG
from ..marketing.segments import audience
from ..state import LineState
from . import segments
from . import writing
from .campaign_drafts import SEGMENT
from .campaign_drafts import value_of
from .i18n import gettext as _

#: A difference that one campaign may bring, and one that hardly any does, among 1,000 people.
LIKELY, RARE = 0.01, 0.03
#: Of a month, where it is meant as the last one of a shorter month, too.
LAST_DAY = 31


@dataclass(frozen=True, slots=True)
class Prospect:
    """What a comparison will be able to show.

    :ivar kind: as the page colours it.
    """

    kind: str
    title: str
    text: str


def audience_words(line: LineState, to: Audience) -> str:
    """Say for whom a campaign is."""
    if to is Everybody.LINKED:
        return _("連携会員のみなさま")
    if to is Everybody.FRIENDS:
        return _("友だち全員")
    name = value_of(to).removeprefix(SEGMENT)
    found = {one.name: one.label for one in audience.list_segments(line)}
    return str(found.get(name) or _("組み合わせた条件"))


def when_words(line: LineState, at: datetime | Recurring | None) -> str:
    """Say when a campaign begins."""
    if at is None:
        return _("確認したらすぐ")
    if isinstance(at, Recurring):
        return recurring_words(at)
    moment = moment_of(line, at)
    return f"{writing.day(moment)} {writing.time(moment)}"


def recurring_words(at: Recurring) -> str:
    """Say when a time that comes again is."""
    days, time = at.days, f"{at.at:%H:%M}"
    if isinstance(days, EveryDay):
        return _("毎日 %(time)s", time=time)
    if isinstance(days, Weekdays):
        names = "・".join(weekdays()[number] for number in sorted(days.days))
        return _("毎週 %(days)s %(time)s", days=names, time=time)
    if isinstance(days, MonthDay):
        day = _("末日") if days.day == LAST_DAY else _("%(n)s日", n=days.day)
        return _("毎月 %(day)s %(time)s", day=day, time=time)
    return _("毎年 %(month)s月%(day)s日 %(time)s", month=days.month, day=days.day, time=time)


def moment_of(line: LineState, at: datetime) -> datetime:
    """Return when it is a time of a campaign, which is the shop's if it has no zone."""
    return instant(at.date(), at.time(), line.config.zone) if at.tzinfo is None else at


def weekdays() -> list[str]:
    """Return the days of a week, Monday first."""
    return [
        _("月曜日"),
        _("火曜日"),
        _("水曜日"),
        _("木曜日"),
        _("金曜日"),
        _("土曜日"),
        _("日曜日"),
    ]


def reasons() -> dict[str, str]:
    """Return why somebody is sent nothing, in words."""
    return {**segments.reasons(), SENT_LATELY: _("最近ご案内が届いた")}


def hold_out_prospect(people: int, base: float, percent: int, worthwhile: float) -> Prospect:
    """Say what holding out so many of a hundred will be able to show.

    :param people: who might be sent it.
    :param base: buyers per person without a message.
    :param worthwhile: the smallest difference that matters.
    """
    if not percent:
        return Prospect(
            "info",
            _("効果は分かりません"),
            _("送らない人がいないと、この配信のおかげで売れたのかどうかを比べられません。"),
        )
    found = smallest_difference(people, base, percent / 100)
    if found is None or people * percent < 100 * 2:
        text = _(
            "相手が%(n)s人では、どんな差も偶然と見分けられません。"
            "同じ配信を重ねると、合わせて判断できます。",
            n=writing.number(people),
        )
        return Prospect("warn", _("人数が少なく、この1回では判断できません"), text)
    seen = _(
        "%(percent)s%%では、1,000人あたり%(n)s人以上の差があれば見分けられます。",
        percent=percent,
        n=_among(found),
    )
    if found <= max(LIKELY, worthwhile):
        return Prospect("good", _("この1回で、効果が分かりそうです"), seen)
    better = smallest_difference(people, base, 0.2) if percent < 20 else None
    if better is not None:
        seen += _("20%%にすると%(n)s人です。", n=_among(better))
    if found <= RARE:
        return Prospect("info", _("大きな効果なら、この1回で分かります"), seen)
    seen += _("同じ配信を重ねると、合わせて判断できます。")
    return Prospect("warn", _("この1回では、効果はおそらく分かりません"), seen)


def variants_prospect(people: int, base: float, definition: Definition) -> Prospect | None:
    """Say what comparing two texts will be able to show; ``None`` where there is one."""
    if len(definition.variants) < 2:
        return None
    weights = [one.weight for one in definition.variants]
    found = smallest_difference(people, base, min(weights) / sum(weights))
    if found is None or people < 20:
        text = _("相手が%(n)s人では、文面の差を偶然と見分けられません。", n=writing.number(people))
        return Prospect("warn", _("人数が少なく、文面はくらべられません"), text)
    text = _("購入する人が、1,000人あたり%(n)s人以上違えば見分けられます。", n=_among(found))
    if found <= RARE:
        return Prospect("info", _("大きな差なら、この1回で分かります"), text)
    return Prospect("warn", _("文面の差は、おそらく分かりません"), text)


def _among(per_person: float) -> str:
    return writing.number(max(1, round(per_person * AMONG)))
