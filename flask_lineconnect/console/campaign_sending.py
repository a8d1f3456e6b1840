"""The last step of a campaign: what it costs and reaches, who has to agree, and that it begins."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from flask import abort
from flask import request
from sqlalchemy import inspect
from werkzeug.wrappers import Response

from ..errors import Refused
from ..errors import UsageError
from ..login import sessions
from ..marketing.campaigns import planning
from ..marketing.campaigns.checking import check_campaign
from ..marketing.campaigns.estimating import Estimation
from ..marketing.campaigns.estimating import estimate_campaign
from ..marketing.campaigns.testing import send_test
from ..marketing.scenarios.checking import Problem
from ..models import CampaignPlan
from ..state import LineState
from ..state import current_line
from . import campaign_drafts as drafts
from . import campaign_messages
from . import campaign_words as words
from . import writing
from .audit import name_of_staff
from .audit import note
from .campaign_drafts import Draft
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say
from .staff import current_staff
from .staff import is_allowed
from .why import why

#: For how long what begins at once can be called back.
HOLD = timedelta(seconds=60)
#: To more people than these, the number is typed.
TYPED_ABOVE = 1_000
#: By so much the number may have grown since it was shown: by a tenth, and ten.
_GROWTH, _GROWN = 1.1, 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who has to agree to a campaign.

    :ivar needs_other: whether two people have to.
    :ivar asked_by: who asked for this version; empty: nobody did.
    :ivar is_mine: whether that is who is here.
    """

    needs_other: bool
    asked_by: str = ""
    is_mine: bool = False

    @property
    def is_free(self) -> bool:
        """Whether an owner who is here may let it go."""
        return not self.needs_other or (bool(self.asked_by) and not self.is_mine)


def campaign_confirm(name: str) -> Response | str:
    """Show what a campaign is, reaches and costs, before it begins."""
    line, draft = current_line, drafts.find(current_line, name)
    if not draft.is_written:
        return go("campaign_message", name=name)
    return _page(line, draft, "")


def begin_campaign(name: str) -> Response | str:
    """Let a campaign go, with its version and its number of people checked."""
    line, draft = current_line, drafts.find(current_line, name)
    found = _estimate(line, draft)
    problem = _stands_against(line, draft, found)
    if problem:
        return _page(line, draft, problem)
    try:
        plan = planning.let_go(line, name, after=draft.version, hold=HOLD)
    except UsageError as error:
        line.session.rollback()
        is_older = isinstance(error, planning.ChangedMeanwhile)
        return _page(line, drafts.find(line, name), _changed() if is_older else why(error))
    note("campaign-begun", subject=f"campaign:{name}:{draft.version}")
    line.session.commit()
    line.engine.wake("schedule")
    if draft.definition.at is None:
        said = _("60秒後に送り始めます。それまでは取り消せます。")
    else:
        said = _("予約しました。%(when)sに送ります。", when=_next(plan))
    say(said)
    return go("campaigns")


def ask_approval(name: str) -> Response | str:
    """Ask another owner to let a campaign go."""
    line, draft = current_line, drafts.find(current_line, name)
    version = request.form.get("version", 0, type=int)
    try:
        planning.ask_for_approval(line, name, by=current_staff().key, after=version)
    except UsageError:
        line.session.rollback()
        return _page(line, drafts.find(line, name), _changed())
    note("campaign-asked", subject=f"campaign:{name}:{draft.version}")
    line.session.commit()
    say(_("承認を頼みました。ほかの店主の方が、この画面から送れます。"))
    return go("campaigns")


def call_back_campaign() -> Response:
    """Make a draft again of what has not begun yet."""
    line, name = current_line, request.form.get("name", "")
    try:
        planning.call_back(line, name)
    except UsageError:
        line.session.rollback()
        raise Refused(
            _("もう送り始めています。取り消すと、まだ送っていない分だけが止まります。"),
            step="campaign",
        ) from None
    note("campaign-called-back", subject=f"campaign:{name}")
    line.session.commit()
    say(_("下書きに戻しました。まだだれにも送っていません。"))
    return go("campaign_confirm", name=name)


def copy_campaign() -> Response:
    """Write a campaign down once more, and go on with it."""
    line, name = current_line, request.form.get("name", "")
    new = drafts.new_name()
    try:
        plan = planning.copy_plan(line, name, new)
        definition = planning.definition_of(plan)
    except UsageError:
        line.session.rollback()
        abort(404)
    note("campaign-copied", subject=f"campaign:{definition.name}")
    line.session.commit()
    say(_("複製しました。相手から順に確かめてください。"))
    return go("campaign_audience", name=new)


def try_campaign(name: str) -> Response:
    """Send all of a campaign's texts to who is here."""
    line, draft = current_line, drafts.find(current_line, name)
    user = sessions.logged_in_user()
    if not isinstance(user, line.shop.model):
        raise Refused(_no_account(), step="campaign")
    try:
        sent = send_test(line, draft.definition, [inspect(user).identity[0]])
    except UsageError:
        line.session.rollback()
        raise Refused(_no_account(), step="campaign") from None
    note("campaign-tried", subject=f"campaign:{name}:{draft.version}")
    line.session.commit()
    say(_("ご自分のLINEに%(n)s送りました。", n=writing.messages(sent)))
    return go("campaign_confirm", name=name)


def agreement_of(line: LineState, plan: CampaignPlan | None, found: Estimation | None) -> Agreement:
    """Return who has to agree to a campaign."""
    limit = line.config.four_eyes_above
    needs_other = limit is not None and found is not None and found.messages > limit
    if plan is None or plan.asked_by is None or plan.asked_version != plan.version:
        return Agreement(needs_other)
    is_mine = plan.asked_by == current_staff().key
    return Agreement(needs_other, name_of_staff(line, plan.asked_by), is_mine)


def _stands_against(line: LineState, draft: Draft, found: Estimation | None) -> str:
    """Return why a campaign does not begin by this press; empty: it does."""
    form = request.form
    if form.get("version", 0, type=int) != draft.version:
        return _changed()
    if found is None or _problems(line, draft):
        return _("直すところがあるため、まだ送れません。")
    shown = form.get("people", 0, type=int)
    if found.messages > shown * _GROWTH + _GROWN:
        return _(
            "表示してから人数が増えました。いまは%(n)sです。もう一度確かめてください。",
            n=writing.people(found.messages),
        )
    if not found.messages:
        return _("いま送れる相手がいません。相手を変えてください。")
    if not agreement_of(line, planning.find_plan(line.session, draft.name), found).is_free:
        return _("この人数には、2人目の承認が必要です。")
    if found.messages > TYPED_ABOVE and _typed(form.get("typed", "")) != shown:
        return _("入力した人数が、送る人数と違います。")
    return ""


def _page(line: LineState, draft: Draft, problem: str) -> str:
    found, definition = _estimate(line, draft), draft.definition
    plan = planning.find_plan(line.session, draft.name)
    return render(
        "campaign_confirm",
        draft=draft,
        definition=definition,
        problem=problem,
        count=found,
        problems=_problems(line, draft),
        agreement=agreement_of(line, plan, found),
        limit=line.config.four_eyes_above,
        must_type=found is not None and found.messages > TYPED_ABOVE,
        typed_above=TYPED_ABOVE,
        to_words=words.audience_words(line, definition.to),
        when_words=words.when_words(line, definition.at),
        category=next(
            (one.label for one in drafts.categories(line) if one.name == definition.category),
            definition.category,
        ),
        lately=drafts.lately_of(definition),
        reasons=words.reasons(),
        is_held=definition.at is None,
        order_days=round(line.config.direct_order_hours / 24),
        can_send=is_allowed("owner"),
        phones=campaign_messages.phones(line, definition),
        why=why,
    )


def _estimate(line: LineState, draft: Draft) -> Estimation | None:
    try:
        return estimate_campaign(line, draft.definition)
    except (Refused, UsageError):
        # What is wrong with it is said beside.
        return drafts.count(line, draft.definition)


def _problems(line: LineState, draft: Draft) -> list[tuple[str, str, Problem]]:
    """Return what is wrong: on which step, what that step is called, and the very place."""
    steps = {
        "to": ("campaign_audience", _("相手")),
        "category": ("campaign_audience", _("相手")),
        "unless_sent": ("campaign_audience", _("相手")),
        "hold_out": ("campaign_time", _("日時")),
    }
    found = []
    for problem in check_campaign(line, draft.definition):
        word = problem.place.removeprefix(f"{draft.name}.").partition(".")[0].partition("[")[0]
        found.append((*steps.get(word, ("campaign_message", _("内容"))), problem))
    return found


def _typed(text: str) -> int | None:
    """Return a number as Japanese keyboards type it; ``None``: it is none."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").removesuffix("人").strip()
    return int(plain) if plain.isdecimal() else None


def _next(plan: CampaignPlan) -> str:
    assert plan.next_at is not None
    return f"{writing.day(plan.next_at)} {writing.time(plan.next_at)}"


def _changed() -> str:
    return _("ほかの方が先にこの配信を変えました。内容をもう一度確かめてください。")


def _no_account() -> str:
    return _("試しに送るには、ご自分の会員アカウントをLINEと連携してください。")
