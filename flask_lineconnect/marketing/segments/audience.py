"""Segments of one app by their names: find, check, count and look at the people they choose."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import select

from ...error_words import for_log
from ...errors import Refused
from ...i18n import gettext as _
from ...models import Account
from ...models import SavedSegment
from ...shop.categories import ACCOUNT
from ...shop.categories import INVITATION
from ...shop.categories import Category
from ...state import LineState
from ..event_kinds import EventKinds
from .asking import Shop
from .attributes import NAME
from .attributes import Attributes
from .compiler import compile_rule
from .compiler import member_key_of
from .declared import DeclaredSegment
from .declared import DeclaredSegments
from .errors import InvalidRule
from .operators import Clock
from .reach import Reach
from .reach import count_reach
from .reach import reasons_for
from .rules import InSegment
from .rules import Rule
from .rules import read_rule
from .saved import newest_version
from .saved import save_version
from .saved import saved_segments

NO_ARGUMENTS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Listed:
    """One segment of a list.

    :ivar kind: ``query`` or ``rule`` in code, ``saved`` by an owner.
    :ivar version: of a saved one.
    :ivar arguments: of a query, with their defaults.
    :ivar problem: why it chooses nobody: an attribute that is gone.
    :ivar rule: ``None`` of a query, and of what can't be read.
    """

    name: str
    label: str
    kind: str
    home: str
    version: int | None
    arguments: Mapping[str, Any]
    problem: str | None
    rule: Rule | None = None


def shop_of(line: LineState) -> Shop:
    """Return what rules are compiled against now."""

    def find(name: str, arguments: Mapping[str, Any], place: str) -> Rule | Select[Any]:
        return _find(line, name, arguments, place)

    return Shop(
        model=line.shop.model,
        attributes=line.part(Attributes),
        events=line.part(EventKinds),
        find_segment=find,
        clock=Clock(line.clock(), line.config.zone),
        dialect=line.session.get_bind().dialect.name,
        categories=(*line.shop.categories, ACCOUNT, INVITATION),
    )


def members_in(
    line: LineState, name: str, arguments: Mapping[str, Any] = NO_ARGUMENTS
) -> Select[Any]:
    """Return the keys of the members of a segment, as ``begin_campaign`` takes them.

    :param arguments: of a query in code, as JSON writes them.
    :raises InvalidRule: there is no such segment, or it asks for what is gone.
    """
    return compile_rule(InSegment(name, tuple(arguments.items())), shop_of(line))


def members_where(line: LineState, rule: Rule) -> Select[Any]:
    """Return the keys of the members whom a rule chooses.

    :raises InvalidRule: the rule asks for what there is not; says where.
    """
    return compile_rule(rule, shop_of(line))


def reach_of(line: LineState, members: Select[Any], category: Category) -> Reach:
    """Count whom a message of this category would reach now, and who falls out and why."""
    from ...outbox.rules import Rules

    return count_reach(line.session, members, category, line.part(Rules).policy, now=line.clock())


def sample_of(
    line: LineState, members: Select[Any], category: Category, *, limit: int
) -> Sequence[tuple[Any, str | None]]:
    """Return some of the members, drawn by lot, each with the reason why none is sent to them."""
    from ...outbox.rules import Rules

    session, chosen = line.session, members.subquery("chosen")
    drawn = session.scalars(select(chosen.c[0]).order_by(func.random()).limit(limit)).all()
    key = member_key_of(line.shop.model)
    few = select(key.label("member_key")).where(key.in_(drawn))
    accounts = select(Account.id).where(Account.member_id.in_(drawn))
    policy = line.part(Rules).policy
    reasons = reasons_for(session, few, category, policy, line.clock(), accounts=accounts)
    return [(member, reason) for member, reason in session.execute(reasons)]


def save_segment(
    line: LineState, name: str, label: str, rule: Rule, *, after: int | None = None
) -> int:
    """Save a segment's next version, inside the caller's transaction; return its number.

    :param after: the version that the owner changed.
    :raises InvalidRule: the rule asks for what there is not, or includes itself.
    :raises Refused: the name is taken by the shop's code, or somebody else saved it meanwhile.
    """
    if not NAME.fullmatch(name):
        raise Refused(
            _("セグメントの名前は、英小文字・数字・下線で60文字までにしてください。"), step="name"
        )
    if line.part(DeclaredSegments).find(name) is not None:
        raise Refused(
            _("「%(name)s」は、お店のプログラムが使っている名前です。", name=name), step="name"
        )
    compile_rule(rule, shop_of(line), name=name)
    return save_version(line.session, name, label, rule, after=after, now=line.clock())


def remove_segment(line: LineState, name: str, *, after: int | None = None) -> None:
    """Let a saved segment choose nobody any more; its versions stay.

    :raises Refused: there is none, or somebody else saved it meanwhile.
    """
    found = newest_version(line.session, name)
    if found is None or found.rule is None:
        raise Refused(_no_segment(name), step="name")
    save_version(line.session, name, found.label, None, after=after, now=line.clock())


def list_segments(line: LineState, *, name: str | None = None) -> list[Listed]:
    """Return all segments: those of the shop's code, then the saved ones.

    :param name: of one, without a look at the others.
    """
    listed = [
        _declared(line, one) for one in line.part(DeclaredSegments) if name in (None, one.name)
    ]
    rows = [row for row in saved_segments(line.session) if name in (None, row.name)]
    return [*listed, *(_saved(line, row) for row in rows)]


def offered_segments(line: LineState, *, first: str, most: int) -> list[Listed]:
    """Return some segments that work: the one of a name, saved ones, then those of the code.

    No more are looked at than are needed: each look makes a statement.
    """
    makers = [(row.name, partial(_saved, line, row)) for row in saved_segments(line.session)]
    for one in line.part(DeclaredSegments):
        makers.append((one.name, partial(_declared, line, one)))
    makers.sort(key=lambda maker: maker[0] != first)
    listed = (make() for _name, make in makers)
    return list(islice((one for one in listed if one.problem is None), most))


def segment_labels(line: LineState) -> dict[str, str]:
    """Return the labels of all segments by their names, without a look at what they choose."""
    saved, declared = labels_by_home(line)
    return declared | saved


def labels_by_home(line: LineState) -> tuple[dict[str, str], dict[str, str]]:
    """Return the labels of saved segments by their names, and of those of the code."""
    declared = {one.name: str(one.label) for one in line.part(DeclaredSegments)}
    return {row.name: row.label for row in saved_segments(line.session)}, declared


def _declared(line: LineState, one: DeclaredSegment) -> Listed:
    arguments = {key: value.default for key, value in (one.parameters or {}).items()}
    kind = "query" if one.rule is None else "rule"
    problem = problem_of_segment(line, one.name)
    label = str(one.label)
    return Listed(one.name, label, kind, one.home, None, arguments, problem, one.rule)


def _saved(line: LineState, row: SavedSegment) -> Listed:
    try:
        rule = read_rule(row.rule)
    except InvalidRule as error:
        return Listed(row.name, row.label, "saved", "", row.version, {}, error.message)
    shop, name = shop_of(line), row.name
    problem = _problem(lambda: compile_rule(rule, shop, name=name, place=name))
    return Listed(row.name, row.label, "saved", "", row.version, {}, problem, rule)


def problem_of_segment(line: LineState, name: str) -> str | None:
    """Say why a segment chooses nobody: it asks for what is gone, includes itself, or fails."""
    return _problem(lambda: members_in(line, name))


def _problem(compile_: Callable[[], object]) -> str | None:
    try:
        compile_()
    except InvalidRule as error:
        return error.message
    except Exception as error:  # the shop's own query; one that is broken holds back no other
        return f"{type(error).__name__}: {for_log(error)}"
    return None


def _find(
    line: LineState, name: str, arguments: Mapping[str, Any], place: str
) -> Rule | Select[Any]:
    declared = line.part(DeclaredSegments).find(name)
    if declared is not None and declared.rule is None:
        return declared.call(line.clock(), arguments, place)
    if arguments:
        raise InvalidRule(
            _("「%(name)s」に「with」は使えません。", name=name), place=f"{place}.with"
        )
    if declared is not None and declared.rule is not None:
        return declared.rule
    saved: SavedSegment | None = newest_version(line.session, name)
    if saved is None or saved.rule is None:
        raise InvalidRule(_no_segment(name), place=place)
    return read_rule(saved.rule)


def _no_segment(name: str) -> str:
    return _("セグメント「%(name)s」はありません。", name=name)
