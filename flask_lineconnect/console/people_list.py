"""The list of members: who fits, a page at a time, by key and never by offset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from typing import get_args

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import inspect
from sqlalchemy import literal
from sqlalchemy import select

from ..linking.marks import MemberMarks
from ..linking.member_keys import read_member_key
from ..marketing.segments import audience
from ..messages.limits import is_storable
from ..models import Account
from ..person_names import Name
from ..state import LineState
from .names import card_number
from .names import name_of_member
from .show import Show

#: Members on one page, and in one portion of a file.
PAGE, PORTION = 20, 500
#: The longest text that is looked for.
MAX_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to be listed.

    :ivar text: a part of the name, or whatever the shop looks for.
    :ivar segment: the name of a segment that must choose them.
    """

    text: str = ""
    show: Show = "all"
    segment: str = ""

    @classmethod
    def of(cls, text: str, show: str, segment: str) -> Wanted:
        """Return what an address asks for; what makes no sense is left out."""
        text = text.strip()[:MAX_SEARCH]
        known = show if show in get_args(Show) else "all"
        return cls(text if is_storable(text) else "", known, segment)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list."""

    key: str
    name: Name
    number: str
    account: Account | None


def page_of(
    line: LineState, wanted: Wanted, *, after: str | None, limit: int = PAGE
) -> tuple[list[Person], str | None]:
    """Return members, the newest key first, and where the next page begins.

    :param after: the key of the last member of the page before.
    :raises InvalidRule: the segment asks for what is gone.
    """
    key = _key(line)
    statement = _statement(line, wanted).order_by(key.desc()).limit(limit + 1)
    if after is not None:
        try:
            statement = statement.where(key < read_member_key(line.shop.model, after))
        except ValueError:
            statement = statement.where(literal(value=False))
    rows = line.session.execute(statement).all()
    people = [_person(line, member, account) for member, account in rows[:limit]]
    return people, people[-1].key if len(rows) > limit else None


def all_of(line: LineState, wanted: Wanted) -> Iterator[Person]:
    """Return all who fit, portion by portion."""
    after: str | None = None
    while True:
        some, after = page_of(line, wanted, after=after, limit=PORTION)
        yield from some
        if after is None:
            return
        # What was read is not needed again, and there may be a million.
        line.session.expunge_all()


def _statement(line: LineState, wanted: Wanted) -> Select[Any]:
    key, model = _key(line), line.shop.model
    statement = select(model, Account).outerjoin(Account, Account.member_id == key)
    if wanted.text:
        statement = statement.where(key.in_(_found(line, wanted.text)))
    if wanted.segment:
        statement = statement.where(key.in_(audience.members_in(line, wanted.segment)))
    if wanted.show == "linked":
        statement = statement.where(Account.id.is_not(None), Account.is_friend.is_not(False))
    elif wanted.show == "blocked":
        statement = statement.where(Account.is_friend.is_(False))
    elif wanted.show == "unlinked":
        statement = statement.where(Account.id.is_(None))
    return statement


def _found(line: LineState, text: str) -> Select[Any]:
    """Return the keys of the members whom a text finds: the shop knows best."""
    found = line.shop.find_members(text)
    if found is not None:
        return found
    return select(Account.member_id).where(
        Account.member_id.is_not(None), Account.display_name.icontains(text, autoescape=True)
    )


def _key(line: LineState) -> ColumnElement[Any]:
    column: ColumnElement[Any] = inspect(line.shop.model).primary_key[0]
    return column


def _person(line: LineState, member: Any, account: Account | None) -> Person:
    if account is not None and not line.part(MemberMarks).is_same(account.member_mark, member):
        account = None
    (key,) = inspect(member).mapper.primary_key_from_instance(member)
    name = name_of_member(line, member, account)
    return Person(str(key), name, card_number(line, member), account)
