"""The inbox: questions that the chat handed over to staff, in the order of their age."""

from __future__ import annotations

from typing import Any

from flask import abort
from flask import request
from werkzeug.wrappers import Response

from ..errors import Refused
from ..linking import accounts
from ..models import Account
from ..shop.inquiry_desk import Inquiry
from ..shop.inquiry_desk import InquiryDesk
from ..state import LineState
from ..state import current_line
from .audit import note
from .i18n import gettext as _
from .names import initial
from .pages import go
from .pages import render
from .pages import say
from .saved_messages import phrases_for
from .talk import by_day
from .talk import cost_of_one
from .talk import new_key
from .talk import say_to
from .talk import talk_of

#: Questions of one page, and orders beside one.
PAGE, ORDERS = 50, 3


def inbox() -> str:
    """Show who waits, the longest wait first, and one of them."""
    line, desk = current_line, _desk()
    waiting = list(desk.waiting(limit=PAGE))
    key = request.args.get("key")
    chosen = desk.find(key) if key else None
    is_gone = key is not None and chosen is None
    if chosen is None and waiting:
        # On a desk there is room for the first of them.
        chosen = waiting[0]
    account = None if chosen is None else _account(line, chosen)
    return render(
        "inbox",
        waiting=waiting,
        chosen=chosen,
        is_chosen=key is not None and not is_gone,
        is_gone=is_gone,
        account=account,
        member_key=None if account is None else account.member_id,
        bubbles=[] if account is None else talk_of(line, account, limit=10),
        orders=_orders(line, chosen),
        cost=cost_of_one(line),
        by_day=by_day,
        form_key=new_key(),
        phrases=phrases_for(line, account),
        initial=initial,
    )


def inbox_reply(key: str) -> Response:
    """Answer a question; it waits no more.

    :raises Refused: somebody else has answered, or the words are none.
    """
    line, desk = current_line, _desk()
    inquiry = _open(desk, key)
    account = _account(line, inquiry)
    if account is None or account.is_friend is False:
        raise Refused(
            _("この方にはLINEで届きません。連携していないか、ブロック中です。"), step="unreachable"
        )
    say_to(line, account, request.form.get("text", ""), key=request.form.get("key", ""))
    _done(desk, key)
    note("inquiry-answered", member_key=account.member_id, account_id=account.id)
    line.session.commit()
    say(_("返信しました。"))
    return go("inbox")


def inbox_done(key: str) -> Response:
    """Note that a question needs no answer any more.

    :raises Refused: somebody else has.
    """
    line, desk = current_line, _desk()
    _open(desk, key)
    _done(desk, key)
    note("inquiry-done", subject=f"inquiry:{key}")
    line.session.commit()
    say(_("対応済みにしました。"))
    return go("inbox")


def _desk() -> InquiryDesk[Any]:
    desk = current_line.shop.inquiries
    if desk is None:
        abort(404)
    return desk


def _open(desk: InquiryDesk[Any], key: str) -> Inquiry[Any]:
    found = desk.find(key)
    if found is None:
        raise _answered()
    return found


def _done(desk: InquiryDesk[Any], key: str) -> None:
    if not desk.done(key):
        raise _answered()


def _answered() -> Refused:
    return Refused(
        _("ほかの方が先に対応しました。二重には送っていません。"), step="answered-meanwhile"
    )


def _account(line: LineState, inquiry: Inquiry[Any]) -> Account | None:
    return accounts.account_of_member(line, inquiry.member) if inquiry.member is not None else None


def _orders(line: LineState, inquiry: Inquiry[Any] | None) -> Any:
    desk = line.shop.orders
    if desk is None or inquiry is None or inquiry.member is None:
        return ()
    return desk.page(inquiry.member, offset=0, limit=ORDERS)
