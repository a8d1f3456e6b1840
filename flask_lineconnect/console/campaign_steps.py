"""The wizard of a campaign: audience, message, time; each step writes the draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from datetime import datetime
from datetime import time
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from ..errors import Refused
from ..errors import UsageError
from ..marketing.calendar.days import EveryDay
from ..marketing.calendar.days import MonthDay
from ..marketing.calendar.days import Weekdays
from ..marketing.calendar.times import Recurring
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.campaigns.planning import ChangedMeanwhile
from ..marketing.results.foresight import usual_rate
from ..marketing.results.words import AMONG
from ..marketing.segments import audience
from ..marketing.segments.errors import InvalidRule
from ..state import LineState
from ..state import current_line
from . import campaign_drafts as drafts
from . import campaign_messages
from . import campaign_words as words
from . import saved_messages
from . import writing
from .campaign_drafts import Draft
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say

#: Letters of a campaign's name.
MAX_LABEL = 60
#: Of a hundred people: the most that the wizard holds out, and the fewest that get a text.
MAX_HOLD_OUT, LEAST_SHARE = 20, 10


def new_campaign() -> Response | str:
    """Begin a campaign: for whom it is."""
    line = current_line
    draft = drafts.blank(line, request.form.get("name", ""), request.args.get("segment", ""))
    return _audience(line, draft)


def campaign_audience(name: str) -> Response | str:
    """Change for whom a campaign is."""
    return _audience(current_line, drafts.find(current_line, name))


def campaign_message(name: str) -> Response | str:
    """Write what a campaign says."""
    line, draft = current_line, drafts.find(current_line, name)
    problem, changed = "", draft.definition
    more: dict[str, Any] = {}
    composers = campaign_messages.composers_for(line, changed)
    if request.method == "POST":
        written = campaign_messages.read(line, changed, request.form)
        changed, composers = written.definition, written.composers
        problem = written.problem
        if written.taken:
            more["said"] = _(
                "「%(label)s」を写しました。保存するまで、下書きは前のままです。",
                label=written.taken,
            )
        do = request.form.get("do")
        if do == "keep" or (do == "save" and written.is_ready):
            answer, problem = _save(line, changed, "campaign_time")
            if answer is not None:
                return answer
            draft = drafts.find(line, name)
    return _page(
        "campaign_message",
        line,
        draft,
        changed,
        problem,
        composers=[(campaign_messages.title(at), one) for at, one in enumerate(composers)],
        may_compare=len(composers) == 1 and changed.to is not Everybody.FRIENDS,
        saved_messages=saved_messages.choices(line.session),
        **more,
    )


def campaign_time(name: str) -> Response | str:
    """Say when a campaign begins, and who gets nothing or another text, for comparison."""
    line, draft = current_line, drafts.find(current_line, name)
    problem, changed = "", draft.definition
    fields = _fields_of(line, changed)
    if request.method == "POST":
        fields, changed, problem = _read_time(line, draft.definition, request.form)
        if request.form.get("do") == "save" and not problem:
            answer, problem = _save(line, changed, "campaign_confirm")
            if answer is not None:
                return answer
            draft = drafts.find(line, name)
    found, base = drafts.count(line, changed), usual_rate(line)
    people = 0 if found is None else found.messages + found.held_out
    worthwhile = line.config.worthwhile_buyers / AMONG
    return _page(
        "campaign_time",
        line,
        draft,
        changed,
        problem,
        count=found,
        fields=fields,
        weekdays=words.weekdays(),
        most=max(MAX_HOLD_OUT, changed.hold_out),
        is_broadcast=changed.to is Everybody.FRIENDS,
        held=words.hold_out_prospect(people, base, changed.hold_out, worthwhile),
        compared=words.variants_prospect(people, base, changed),
        share=_share_of_second(changed),
        least=LEAST_SHARE,
    )


def _audience(line: LineState, draft: Draft) -> Response | str:
    problem, changed = "", draft.definition
    if request.method == "POST":
        changed, problem = _read_audience(line, draft.definition, request.form)
        if request.form.get("do") == "save" and not problem:
            answer, problem = _save(line, changed, "campaign_message")
            if answer is not None:
                return answer
            draft = drafts.find(line, draft.name)
    saved, declared = audience.labels_by_home(line)
    return _page(
        "campaign_audience",
        line,
        draft,
        changed,
        problem,
        value=drafts.value_of(changed.to),
        saved=saved,
        declared=declared,
        categories=drafts.categories(line),
        lately=drafts.lately_of(changed),
        choices=sorted({*drafts.LATELY, drafts.lately_of(changed)}),
        is_broadcast=changed.to is Everybody.FRIENDS,
    )


def _read_audience(
    line: LineState, definition: Definition, form: Mapping[str, str]
) -> tuple[Definition, str]:
    problem, to = "", definition.to
    try:
        to = drafts.audience_of(line, form.get("to", drafts.KEPT), to)
    except InvalidRule as error:
        problem = error.message
    category = form.get("category", definition.category)
    if category not in {one.name for one in drafts.categories(line)}:
        category = definition.category
    days = _number(form.get("lately"), 0, max(drafts.LATELY), drafts.lately_of(definition))
    changed = drafts.with_lately(replace(definition, category=category), days)
    label = " ".join(form.get("label", "").split())[:MAX_LABEL]
    if not label and form.get("do") == "save":
        # What nobody names is known by whom and when.
        label = f"{words.audience_words(line, to)}・{writing.short_day(writing.today())}"
    return drafts.with_audience(replace(changed, label=label), to), problem


def _read_time(
    line: LineState, definition: Definition, form: Mapping[str, str]
) -> tuple[dict[str, Any], Definition, str]:
    fields: dict[str, Any] = {
        name: form.get(name, "") for name in ("when", "date", "time", "every", "weekday")
    }
    fields["day"] = _number(form.get("day"), 1, words.LAST_DAY, 1)
    problem, at = "", definition.at
    try:
        at = _at(fields)
    except ValueError:
        problem = _("日付と時刻を入れてください。")
    if isinstance(at, datetime) and words.moment_of(line, at) <= line.clock():
        problem = _("その日時はもう過ぎています。これからの日時にしてください。")
    most = max(MAX_HOLD_OUT, definition.hold_out)
    changed = replace(
        definition,
        at=at,
        hold_out=_number(form.get("hold_out"), 0, most, definition.hold_out),
    )
    if changed.to is Everybody.FRIENDS:
        changed = replace(changed, hold_out=0)
    if len(changed.variants) == 2:
        usual = _share_of_second(changed)
        share = _number(form.get("share"), LEAST_SHARE, 100 - LEAST_SHARE, usual)
        first, second = changed.variants
        weighed = (replace(first, weight=100 - share), replace(second, weight=share))
        changed = replace(changed, variants=weighed)
    return fields, changed, problem


def _at(fields: Mapping[str, Any]) -> datetime | Recurring | None:
    """Return when a campaign begins.

    :raises ValueError: a date or a time is missing, or none.
    """
    if fields["when"] not in {"at", "every"}:
        return None
    clock = time.fromisoformat(fields["time"]).replace(tzinfo=None)
    if fields["when"] == "at":
        return datetime.combine(date.fromisoformat(fields["date"]), clock)
    days: EveryDay | Weekdays | MonthDay = EveryDay()
    if fields["every"] == "week":
        days = Weekdays((_number(fields["weekday"], 0, 6, 0),))
    elif fields["every"] == "month":
        days = MonthDay(fields["day"])
    return Recurring(days, clock)


def _fields_of(line: LineState, definition: Definition) -> dict[str, Any]:
    """Return what the fields of time say of a campaign; without a time, what is near at hand."""
    at, tomorrow = definition.at, writing.today().toordinal() + 1
    found: dict[str, Any] = {
        "when": "now",
        "date": date.fromordinal(tomorrow).isoformat(),
        "time": "10:00",
        "every": "week",
        "weekday": "0",
        "day": 1,
    }
    if isinstance(at, datetime):
        moment = writing.local(words.moment_of(line, at))
        found |= {"when": "at", "date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}"}
    elif isinstance(at, Recurring):
        found |= {"when": "every", "time": f"{at.at:%H:%M}", "every": "day"}
        if isinstance(at.days, Weekdays):
            found |= {"every": "week", "weekday": str(at.days.days[0])}
        elif isinstance(at.days, MonthDay):
            found |= {"every": "month", "day": at.days.day}
    return found


def _save(line: LineState, changed: Definition, following: str) -> tuple[Response | None, str]:
    """Write a step down and go on; else return what stands in the way, with nothing lost."""
    version = _number(request.form.get("version"), 0, 2**31 - 1, 0)
    problem = ""
    try:
        drafts.save(line, changed, version)
        line.session.commit()
    except ChangedMeanwhile:
        problem = _(
            "ほかの方が先にこの配信を変えました。いまの保存内容は下のとおりです。"
            "もう一度保存すると、この画面の内容に変わります。"
        )
    except Refused as refused:
        problem = refused.message
    except UsageError:
        problem = _("この配信はもう始まったか、終わりました。")
    if problem:
        line.session.rollback()
        return None, problem
    say(_("下書きを保存しました。"))
    if request.form.get("do") == "keep":
        return go("campaigns"), ""
    return go(following, name=changed.name), ""


def _page(
    template: str,
    line: LineState,
    draft: Draft,
    changed: Definition,
    problem: str,
    **context: Any,
) -> str:
    """Draw a step with what was typed, and beside it whom it reaches and what that costs."""
    saved = draft.definition
    found = {
        "draft": draft,
        "definition": changed,
        "problem": problem,
        "to_words": words.audience_words(line, changed.to),
        "saved_words": [
            str(saved.label),
            words.audience_words(line, saved.to),
            words.when_words(line, saved.at),
        ],
        "is_changed": bool(problem) and saved != changed and request.method == "POST",
        "reasons": words.reasons(),
    }
    if "count" not in context:
        context["count"] = drafts.count(line, changed)
    return render(template, **found, **context)


def _share_of_second(definition: Definition) -> int:
    """Return of how many of a hundred people the second text is."""
    weights = [one.weight for one in definition.variants]
    return round(100 * weights[-1] / sum(weights)) if len(weights) == 2 else 0


def _number(text: str | None, low: int, high: int, otherwise: int) -> int:
    try:
        found = int(text or "")
    except ValueError:
        return otherwise
    return min(max(found, low), high)
