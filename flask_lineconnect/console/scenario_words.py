"""What scenarios say, in the owner's words: when they begin, how long they wait, what they send."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import g

from ..marketing.calendar.times import After
from ..marketing.calendar.times import Duration
from ..marketing.calendar.times import Near
from ..marketing.calendar.times import Wait
from ..marketing.event_kinds import EventKinds
from ..marketing.scenarios.definition import OnEvent
from ..marketing.scenarios.definition import OnSegment
from ..marketing.scenarios.definition import Scenario
from ..marketing.scenarios.definition import Step
from ..marketing.segments import audience
from ..marketing.segments.attributes import Attributes
from ..shop.categories import ACCOUNT
from ..state import LineState
from .campaign_words import recurring_words
from .i18n import gettext as _
from .i18n import spoken

_LABELS = "_lineconnect_segment_labels"
#: Letters of a message that are shown.
MAX_WORDS = 160
#: Of templates: what they put in, and what they only decide.
_VALUE = re.compile(r"\{\{\s*(\w+)[^}]*\}\}")
_STATEMENT = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def begins(line: LineState, scenario: Scenario) -> str:
    """Say with what a scenario begins."""
    start = scenario.start
    if isinstance(start, OnEvent):
        return _("「%(event)s」から", event=event_label(line, start.event))
    if isinstance(start, OnSegment):
        return _("「%(name)s」に入ると", name=segment_label(line, start.segment))
    when = wait(line, scenario, start.at)
    if start.segment is None:
        return when
    return _("%(when)s・「%(name)s」の方", when=when, name=segment_label(line, start.segment))


def event_label(line: LineState, name: str) -> str:
    """Return how an event is called."""
    kind = line.part(EventKinds).find(name)
    return name if kind is None else str(kind.label)


def segment_label(line: LineState, name: str) -> str:
    """Return how a segment is called."""
    # A page names many of them.
    if _LABELS not in g:
        setattr(g, _LABELS, audience.segment_labels(line))
    labels: dict[str, str] = getattr(g, _LABELS)
    return labels.get(name, name)


def kind_of(line: LineState, scenario: Scenario) -> str:
    """Say whether it is a notice or an offer."""
    known = {one.name: one for one in (*line.shop.categories, ACCOUNT)}
    found = known.get(scenario.category)
    return _("ご案内") if found is not None and found.is_marketing else _("お知らせ")


def category_label(line: LineState, scenario: Scenario, step: Step | None = None) -> str:
    """Return the kind of message that a scenario, or a step of it, sends."""
    name = scenario.category if step is None or step.category is None else step.category
    known = {one.name: str(one.label) for one in (*line.shop.categories, ACCOUNT)}
    return known.get(name, name)


def wait(line: LineState, scenario: Scenario, found: Wait | None) -> str:
    """Say how long a step waits."""
    if found is None:
        return _("すぐに")
    if isinstance(found, After):
        length = duration(found.duration)
        if found.at is None:
            return _("%(length)s後", length=length)
        at = f"{found.at:%H:%M}"
        if not any((found.duration.months, found.duration.days, found.duration.seconds)):
            return _("次の %(at)s", at=at)
        return _("%(length)s後の %(at)s", length=length, at=at)
    if isinstance(found, Near):
        return _near(found, _value_label(line, scenario, found.value))
    return recurring_words(found)


def duration(length: Duration) -> str:
    """Say how long something is."""
    hours, rest = divmod(length.seconds, 3600)
    parts = (
        (length.months, _("%(n)sか月", n=length.months)),
        (length.days, _("%(n)s日間", n=length.days)),
        (hours, _("%(n)s時間", n=hours)),
        (rest // 60, _("%(n)s分間", n=rest // 60)),
    )
    return " ".join(words for number, words in parts if number) or _("すぐ")


def words_of(line: LineState, scenario: Scenario, message: str | None) -> str:
    """Return the first words that a step sends; in place of each value, how it is called."""
    words = " / ".join(texts_of(line, scenario, message))
    return words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"


def texts_of(line: LineState, scenario: Scenario, message: str | None) -> list[str]:
    """Return all that a step sends in words, bubble by bubble; of values how they are called."""
    shown = [_of_template(line, scenario, _in_language(one)) for one in _drafts(message)]
    return [one for one in shown if one]


def buttons_of(line: LineState, scenario: Scenario, message: str | None) -> list[str]:
    """Return what can be pressed of a step's message, each with what it does."""
    found = []
    for one in _drafts(message):
        button = one.get("button")
        # Cards of products lead to the products, whatever their button says.
        taps = [{"label": button}] if isinstance(button, str) else [button] if button else []
        for tap in (*taps, *one.get("quick_replies", ())):
            label = _said(tap.get("label", tap))
            does = _said(tap.get("url", tap.get("text", "")))
            words = f"［{label}］ {does}" if does else f"［{label}］"
            found.append(_of_template(line, scenario, words))
    return found


def outcome(name: str) -> str:
    """Say what came of a step."""
    known = {
        "queued": _("送る"),
        "sent": _("送る"),
        "dropped": _("送らない"),
        "skipped": _("条件に合わず飛ばす"),
        "branched": _("分かれる"),
        "passed": _("通り過ぎる"),
        "waiting": _("待つ"),
    }
    return known.get(name, name)


def reason(line: LineState, name: str | None) -> str:
    """Say why, in words; what only a program says stays as it is."""
    if name is None:
        return ""
    known = {
        "finished": _("最後まで進んだ"),
        "goal": _("目的を果たした"),
        "unlinked": _("連携を解除した"),
        "stopped": _("シナリオを終了した"),
        "too old": _("期限が過ぎた"),
        "restarted": _("最初からやり直した"),
        "failed": _("うまくいかなかった"),
        "held out": _("比較のため送らなかった"),
        "on the way": _("途中"),
        "not linked": _("未連携"),
        "not a friend": _("ブロック中"),
        "declined": _("ご案内を受け取らない"),
        "frequency cap": _("この期間の上限まで届いている"),
    }
    if name.startswith("exit: "):
        return _("「%(event)s」で終わった", event=event_label(line, name.removeprefix("exit: ")))
    return known.get(name, name)


def _value_label(line: LineState, scenario: Scenario, name: str) -> str:
    """Return how a value is called: a fact of what began it, or what is known of members."""
    start = scenario.start
    kind = line.part(EventKinds).find(start.event) if isinstance(start, OnEvent) else None
    if kind is not None and name in kind.facts:
        return str(kind.facts[name].label)
    attribute = line.part(Attributes).find(name)
    return name if attribute is None else str(attribute.label)


def _called(line: LineState, scenario: Scenario, name: str) -> str:
    """Return how what a message puts in is called, of what owners know."""
    own = {"name": _("お名前"), "shop_name": _("お店の名前"), "points": _("ポイント")}
    label = _value_label(line, scenario, name)
    return own.get(name, "…") if label == name else label


def _near(found: Near, value: str) -> str:
    at = "" if found.at is None else f" {found.at:%H:%M}"
    if found.duration is None:
        return _("「%(value)s」の当日%(at)s", value=value, at=at)
    length = duration(found.duration)
    if found.is_before:
        return _("「%(value)s」の%(length)s前%(at)s", value=value, length=length, at=at)
    return _("「%(value)s」の%(length)s後%(at)s", value=value, length=length, at=at)


def _drafts(message: str | None) -> list[Mapping[str, Any]]:
    data = [] if message is None else json.loads(message)
    some = data if isinstance(data, list) else [data]
    return [{"text": one} if isinstance(one, str) else one for one in some]


def _of_template(line: LineState, scenario: Scenario, text: str) -> str:
    words = _STATEMENT.sub("", text)
    return _VALUE.sub(lambda found: f"〔{_called(line, scenario, found[1])}〕", words)


def _in_language(message: Mapping[str, Any]) -> str:
    """Return the words of one draft in the language of the page, or else in any."""
    return _said(message.get("text", message.get("alt_text", message.get("altText", ""))))


def _said(said: Any) -> str:
    if isinstance(said, Mapping):
        said = said.get(spoken()) or next(iter(said.values()), "")
    return str(said)
