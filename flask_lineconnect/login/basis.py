"""What a session that LINE gave rests on: the account, its generation, and the member.

It is read in one transaction when the session begins, and compared whenever the session's user is
loaded: in one statement that brings the member along, whom the shop's own loader then finds in the
session. ``sessions.py`` keeps it in the browser's session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..linking.marks import MemberMarks
from ..models import Account
from ..state import LineState


@dataclass(frozen=True, slots=True)
class Basis:
    """What held when LINE logged somebody in.

    :ivar user_id: what Flask-Login keeps of the member.
    :ivar mark: what tells the member from the next one with the same key; empty if nothing does.
    """

    account_id: int
    generation: int
    user_id: str
    mark: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of a basis now.

    :ivar member: the member for whom the session began, if that one is still linked.
    :ivar stands: whether the session may go on.
    """

    member: Any | None
    stands: bool


def basis_of(line: LineState, account: Account, member: Any) -> Basis:
    """Return what a session of this account's member will rest on.

    Both must have been read in the transaction that goes on: what is read after a commit may have
    ended before it.
    """
    mark = line.part(MemberMarks).of(member) or ""
    return Basis(account.id, account.session_generation, user_id_of(line, member), mark)


def find(line: LineState, basis: Basis) -> Found:
    """Compare what a session rests on with what is there now; one statement."""
    row = line.part(Lookup).read(line.session, basis.account_id)
    if row is None:
        return Found(None, False)
    generation, mark, member = row
    if member is None or not _is_person(line, basis, mark, member):
        return Found(None, False)
    return Found(member, generation == basis.generation and line.shop.may_log_in(member))


def _is_person(line: LineState, basis: Basis, mark: str | None, member: Any) -> bool:
    """Tell whether a member is who was logged in, and who was linked."""
    marks = line.part(MemberMarks)
    is_theirs = marks.is_same(mark, member) and marks.is_same(basis.mark or None, member)
    return is_theirs and user_id_of(line, member) == basis.user_id


def user_id_of(line: LineState, member: Any) -> str:
    """Return what Flask-Login keeps of a member in the session."""
    manager = line.app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    return str(getattr(member, manager.id_attribute)())


class Lookup:
    """Reads what sessions rest on, by statements that are made once for an app."""

    def __init__(self, model: Any):
        self._model = model
        (key,) = inspect(model).primary_key
        account = select(Account.session_generation, Account.member_mark)
        account = account.where(Account.id == bindparam("account_id"))
        self._both = account.add_columns(model).outerjoin(model, key == Account.member_id)
        self._apart = account.add_columns(Account.member_id)

    def read(self, session: Session, account_id: int) -> tuple[int, str | None, Any] | None:
        """Return an account's generation and mark, and the member to whom it is linked."""
        values = {"account_id": account_id}
        if session.get_bind(inspect(self._model)) is session.get_bind(inspect(Account)):
            # Where the shop loads collections along with a member, there are several rows.
            row = session.execute(self._both, values).unique().one_or_none()
            return None if row is None else (row[0], row[1], row[2])
        # Members of another database can't be joined; the shop's loader finds this one, too.
        apart = session.execute(self._apart, values).one_or_none()
        if apart is None:
            return None
        member = None if apart[2] is None else session.get(self._model, apart[2])
        return apart[0], apart[1], member
