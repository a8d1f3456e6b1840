"""One member: history, talk, what they want to receive; the end of a link, erasure, their data."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask import abort
from flask import jsonify
from flask import request
from sqlalchemy import inspect
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from ..errors import Refused
from ..linking import unlinking
from ..linking.marks import MemberMarks
from ..linking.member_keys import read_member_key
from ..models import Account
from ..outbox.preferences import declined_by
from ..state import LineState
from ..state import current_line
from . import member_data
from . import notes
from . import points as ledger
from .audit import note
from .audit import sign
from .door import require_recent_login
from .i18n import gettext as _
from .names import card_number
from .names import initial
from .names import name_of_member
from .pages import go
from .pages import render
from .pages import say
from .saved_messages import phrases_for
from .talk import by_day
from .talk import cost_of_one
from .talk import new_key
from .talk import say_to
from .talk import sent_to
from .talk import talk_of
from .timeline import OF_EACH
from .timeline import timeline


def member(key: str) -> str:
    """Show one member."""
    line = current_line
    found, account = _found(line, key)
    declined = frozenset() if account is None else declined_by(line.session, account)
    sent = [] if account is None else sent_to(line, account, limit=OF_EACH)
    return render(
        "member",
        **_about(line, key, found, account),
        points=line.shop.points(found),
        days=timeline(line, found, read_member_key(line.shop.model, key), sent),
        bubbles=[] if account is None else talk_of(line, account, sent=sent),
        cost=cost_of_one(line),
        by_day=by_day,
        form_key=new_key(),
        phrases=phrases_for(line, account),
        categories=line.shop.categories,
        **ledger.on_page(line),
        **notes.on_page(line, read_member_key(line.shop.model, key)),
        declined=declined,
        initial=initial,
    )


def talk(key: str) -> BaseResponse:
    """Send staff's words to a member.

    :raises Refused: they can't be reached, or the words are none.
    """
    line = current_line
    _member, account = _found(line, key)
    if account is None or account.is_friend is False:
        raise Refused(
            _("この方にはLINEで届きません。連携していないか、ブロック中です。"), step="unreachable"
        )
    say_to(line, account, request.form.get("text", ""), key=request.form.get("key", ""))
    note("inquiry-answered", member_key=account.member_id, account_id=account.id)
    line.session.commit()
    say(_("送信しました。"))
    return go("member", key=key)


def unlink(key: str) -> BaseResponse | str:
    """Ask whether a link is to end; end it."""
    line = current_line
    found, account = _found(line, key)
    if account is None:
        return go("member", key=key)
    require_recent_login()
    if request.method == "POST":
        if unlinking.unlink(line, account, actor="shop", now=line.clock()):
            sign([account.id])
        line.session.commit()
        say(_("連携を解除しました。ご本人にもお知らせします。"))
        return go("member", key=key)
    return render("member_unlink", **_about(line, key, found, account))


def erase(key: str) -> BaseResponse | str:
    """Ask whether what is kept of a person is to go; erase it."""
    line = current_line
    found, account = _found(line, key)
    require_recent_login()
    if request.method == "POST":
        ids = unlinking.accounts_kept_of(line, read_member_key(line.shop.model, key))
        unlinking.erase_all(line, [read_member_key(line.shop.model, key)])
        sign(ids)
        line.session.commit()
        say(_("LINEのデータを消しました。お店の会員データはそのままです。"))
        return go("member", key=key)
    return render("member_erase", **_about(line, key, found, account))


def data(key: str) -> Response:
    """Return all that is kept of a person, as JSON; for their own request, too."""
    line = current_line
    _member, account = _found(line, key)
    member_id = read_member_key(line.shop.model, key)
    kept = member_data.kept_of(line, member_id, account)
    note("exported", member_key=member_id, account_id=None if account is None else account.id)
    line.session.commit()
    answer = jsonify(kept)
    answer.headers["Content-Disposition"] = 'attachment; filename="member.json"'
    return answer


def _found(line: LineState, key: str) -> tuple[Any, Account | None]:
    """Return a member and their LINE account; an unknown one is answered like a strange page."""
    column = inspect(line.shop.model).primary_key[0]
    statement = select(line.shop.model, Account).outerjoin(Account, Account.member_id == column)
    try:
        statement = statement.where(column == read_member_key(line.shop.model, key))
    except ValueError:
        abort(404)
    row = line.session.execute(statement).one_or_none()
    if row is None:
        abort(404)
    found, account = row
    # The link of somebody before them, whose row had the same key, is none of theirs.
    is_theirs = account is None or line.part(MemberMarks).is_same(account.member_mark, found)
    return found, account if is_theirs else None


def _about(line: LineState, key: str, found: Any, account: Account | None) -> dict[str, Any]:
    return {
        "key": key,
        "name": name_of_member(line, found, account),
        "number": card_number(line, found),
        "account": account,
    }
