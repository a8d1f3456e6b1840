"""Segments: list them, look at whom each chooses, put one together as a sentence, save it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from flask import abort
from flask import request
from sqlalchemy import Select
from werkzeug.wrappers import Response

from ..config.plans import Estimate
from ..errors import Refused
from ..marketing.segments import audience
from ..marketing.segments.asking import Shop
from ..marketing.segments.errors import InvalidRule
from ..marketing.segments.reach import Reach
from ..marketing.segments.rules import write_rule
from ..outbox import budget
from ..outbox.rules import Rules
from ..person_names import Name
from ..shop.categories import Category
from ..state import LineState
from ..state import current_line
from . import clause_words
from . import clauses
from .audit import note
from .clauses import Clause
from .clauses import Sentence
from .i18n import gettext as _
from .names import members_of
from .names import name_of_member
from .pages import go
from .pages import render
from .pages import say
from .segment_estimates import usual_category
from .why import why

#: People of a sample.
SAMPLE = 10
#: Letters of a label.
MAX_LABEL = 60


@dataclass(frozen=True, slots=True)
class Sampled:
    """One of the people whom a segment chooses, by lot; why no message would reach them."""

    key: str
    name: Name
    reason: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a segment chooses now, what a message to them would cost, and some of them."""

    reach: Reach
    cost: Estimate
    sample: list[Sampled]
    category: Category


def segments() -> str:
    """List segments."""
    line = current_line
    listed = audience.list_segments(line)
    shop, labels = audience.shop_of(line), audience.segment_labels(line)
    rows = [(one, _described(line, shop, one, labels)) for one in listed]
    return render("segments", rows=rows)


def segment(name: str) -> str:
    """Show whom a segment chooses."""
    line = current_line
    one = _listed(line, name)
    labels = audience.segment_labels(line)
    rule, chosen, problem = one.rule, None, one.problem
    if problem is None:
        chosen = _audience(line, audience.members_in(line, name))
    is_sentence = rule is not None and clauses.from_rule(rule, line.config.zone) is not None
    return render(
        "segment",
        one=one,
        words=_described(line, audience.shop_of(line), one, labels),
        audience=chosen,
        problem=problem and why(problem),
        reasons=reasons(),
        is_sentence=is_sentence,
        written=None
        if rule is None
        else json.dumps(write_rule(rule), ensure_ascii=False, indent=2),
    )


def new_segment() -> Response | str:
    """Put a new segment together: draw its fields, count, and save it."""
    line = current_line
    shop = audience.shop_of(line)
    if request.method == "POST":
        return _posted(line, shop, None)
    sentence = Sentence((Clause(clause_words.first_thing(shop)),))
    return _builder(line, shop, sentence, name=None, label="", version=0, is_asked=False)


def edit_segment(name: str) -> Response | str:
    """Do the same with one that was saved."""
    line = current_line
    shop, one = audience.shop_of(line), _listed(line, name)
    sentence = None if one.rule is None else clauses.from_rule(one.rule, line.config.zone)
    if one.kind != "saved" or sentence is None:
        abort(404)
    if request.method == "POST":
        return _posted(line, shop, name)
    return _builder(line, shop, sentence, name=name, label=one.label, version=one.version or 0)


def remove_segment(name: str) -> Response:
    """Let a saved segment choose nobody any more.

    :raises Refused: there is none, or somebody else saved it meanwhile.
    """
    line = current_line
    audience.remove_segment(line, name, after=request.form.get("version", type=int))
    note("segment-removed", subject=f"segment:{name}")
    line.session.commit()
    say(_("絞り込みを消しました。"))
    return go("segments")


def reasons() -> dict[str, str]:
    """Return why a message reaches somebody not, in words."""
    return {
        "not linked": _("未連携"),
        "not a friend": _("ブロック中"),
        "declined": _("ご案内を受け取らない"),
        "frequency cap": _("この期間の上限まで届いている"),
    }


def _posted(line: LineState, shop: Shop, name: str | None) -> Response | str:
    form = request.form
    sentence, do = clauses.from_form(form), form.get("do", "draw")
    label, version = form.get("label", "").strip()[:MAX_LABEL], form.get("version", 0, type=int)
    if do == "add" and len(sentence.clauses) < clauses.MOST:
        new = Clause(clause_words.first_thing(shop))
        sentence = replace(sentence, clauses=(*sentence.clauses, new))
    elif do.startswith("drop-") and do[5:].isdecimal():
        kept = [one for place, one in enumerate(sentence.clauses) if str(place) != do[5:]]
        sentence = replace(sentence, clauses=tuple(kept))
    elif do == "save":
        return _saved(line, shop, sentence, name, label, version)
    is_asked = do not in {"add", "draw"}
    return _builder(
        line, shop, sentence, name=name, label=label, version=version, is_asked=is_asked
    )


def _saved(
    line: LineState, shop: Shop, sentence: Sentence, name: str | None, label: str, version: int
) -> Response | str:
    problem = (
        "" if label else _("名前を付けてください。たとえば「お茶を買った・60日買っていない」。")
    )
    try:
        if not problem:
            key = name or f"segment_{secrets.token_hex(4)}"
            rule = clauses.to_rule(shop, sentence)
            audience.save_segment(line, key, label, rule, after=version)
            note("segment-saved", subject=f"segment:{key}")
            line.session.commit()
            say(_("「%(label)s」を保存しました。", label=label))
            return go("segment", name=key)
    except InvalidRule as error:
        problem = error.message
    except Refused as refused:
        # What was typed is not lost: the page shows it again, with what the other one saved.
        problem = refused.message
    line.session.rollback()
    return _builder(line, shop, sentence, name=name, label=label, version=version, problem=problem)


def _builder(
    line: LineState,
    shop: Shop,
    sentence: Sentence,
    *,
    name: str | None,
    label: str,
    version: int,
    problem: str = "",
    is_asked: bool = True,
) -> str:
    """Draw the sentence with its fields, and beside it whom it chooses."""
    sentence = replace(
        sentence, clauses=tuple(clauses.fitting(shop, one) for one in sentence.clauses)
    )
    labels = audience.segment_labels(line)
    labels.pop(name or "", None)
    chosen = None
    if is_asked and not problem:
        try:
            chosen = _audience(line, audience.members_where(line, clauses.to_rule(shop, sentence)))
        except InvalidRule as error:
            problem = error.message
    return render(
        "segment_build",
        name=name,
        label=label,
        version=version,
        sentence=sentence,
        things=clause_words.things(shop, labels),
        rows=[
            (one, clause_words.hows(shop, one), clause_words.field_of(shop, one))
            for one in sentence.clauses
        ],
        words=clause_words.words(shop, sentence, labels),
        audience=chosen,
        problem=problem,
        reasons=reasons(),
        most=clauses.MOST,
        page=secrets.token_urlsafe(16),
    )


def _audience(line: LineState, members: Select[Any]) -> Audience:
    category = usual_category(line)
    reach = audience.reach_of(line, members, category)
    cost = budget.estimate(
        line.session, line.part(Rules).budget, reach.reachable, category, now=line.clock()
    )
    drawn = audience.sample_of(line, members, category, limit=SAMPLE)
    people = members_of(line, [key for key, _reason in drawn])
    sample = [
        Sampled(str(key), name_of_member(line, people[key]), reason)
        for key, reason in drawn
        if key in people
    ]
    return Audience(reach, cost, sample, category)


def _listed(line: LineState, name: str) -> audience.Listed:
    found = audience.list_segments(line, name=name)
    return found[0] if found else abort(404)


def _described(line: LineState, shop: Shop, one: audience.Listed, labels: Mapping[str, str]) -> str:
    """Say in words whom a segment chooses; empty where only its program knows."""
    if one.kind == "query":
        return _("お店のプログラムが選びます")
    sentence = None if one.rule is None else clauses.from_rule(one.rule, line.config.zone)
    return "" if sentence is None else clause_words.words(shop, sentence, labels)
