"""Messages: write one, look at it, let LINE look at it, send it to oneself, save it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import abort
from flask import request
from werkzeug.wrappers import Response

from ..errors import LineConnectError
from ..errors import Refused
from ..errors import UsageError
from ..linking import accounts
from ..login import sessions
from ..marketing.campaigns.definition import Variant
from ..marketing.campaigns.testing import send_test
from ..models import Account
from ..models import SavedMessage
from ..state import LineState
from ..state import current_line
from . import saved_messages
from .asking import complaints_of
from .audit import note
from .blocks import blocks_of
from .composing import Composer
from .composing import NotComposed
from .composing import composer_for
from .composing import composer_of
from .composing import is_pressed
from .composing import read_message
from .i18n import gettext as _
from .pages import go
from .pages import render
from .pages import say
from .phone import phone_of
from .phone import pose_of
from .saved_messages import Saving
from .staff import current_staff
from .why import why

#: Of the composer's fields.
PREFIX = "message"
#: Letters of a label.
MAX_LABEL = 60


@dataclass(slots=True)
class Sheet:
    """What is on the page of one message.

    :ivar name: of one that was saved.
    :ivar version: that was on the page; 0 for a new one.
    :ivar problem: what is wrong with all of it.
    :ivar said: what was done.
    :ivar is_late: whether somebody else saved it meanwhile.
    """

    name: str | None = None
    label: str = ""
    version: int = 0
    is_phrase: bool = False
    problem: str = ""
    said: str = ""
    is_late: bool = False


def messages() -> str:
    """List messages."""
    kept = saved_messages.saved_messages(current_line.session)
    rows = [(one, saved_messages.first_words(one.message)) for one in kept]
    return render("messages", rows=rows)


def new_message() -> Response | str:
    """Write a new message."""
    line = current_line
    if request.method == "POST":
        return _posted(line, None)
    return _page(line, composer_for(line, None, PREFIX), Sheet())


def edit_message(name: str) -> Response | str:
    """Change one that was saved."""
    line = current_line
    if request.method == "POST":
        return _posted(line, name)
    one = _kept(line, name)
    sheet = Sheet(name, one.label, one.version, one.is_phrase)
    return _page(line, composer_for(line, one.message, PREFIX), sheet)


def copy_message(name: str) -> Response:
    """Save one once more, under another label."""
    line = current_line
    one = _kept(line, name)
    label = _("%(label)sの写し", label=one.label)[:MAX_LABEL]
    copy = Saving(_new_name(), label, one.message, is_phrase=False, after=0)
    _save(line, copy)
    say(_("写しを作りました。"))
    return go("edit_message", name=copy.name)


def remove_message(name: str) -> Response:
    """Remove one.

    :raises Refused: somebody else changed it meanwhile.
    """
    line = current_line
    saved_messages.remove(line.session, name, after=request.form.get("version", 0, type=int))
    note("message-removed", subject=f"message:{name}")
    line.session.commit()
    say(_("メッセージを消しました。"))
    return go("messages")


def preview_message() -> str:
    """Return the phone of the composer that has a prefix, as its form stands; nothing is kept."""
    prefix = request.args.get("prefix") or abort(404)
    form = request.form
    phone = phone_of(current_line, blocks_of(form, prefix), pose_of(form, prefix))
    return render("_phone", phone=phone)


def _posted(line: LineState, name: str | None) -> Response | str:
    form = request.form
    sheet = Sheet(
        name,
        form.get("label", "").strip()[:MAX_LABEL],
        form.get("version", 0, type=int),
        "is_phrase" in form,
    )
    composer = composer_of(line, form, PREFIX)
    if is_pressed(form, PREFIX):
        return _page(line, composer, sheet)
    try:
        message = read_message(line, form, PREFIX)
    except NotComposed as error:
        return _page(line, error.composer, sheet)
    if form.get("do") == "test":
        _send_to_me(line, message, sheet)
        return _page(line, composer, sheet)
    return _judged(line, composer, message, sheet)


def _judged(line: LineState, composer: Composer, message: str, sheet: Sheet) -> Response | str:
    """Save a message that LINE would take."""
    if not sheet.label:
        sheet.problem = _("名前を付けてください。たとえば「秋のほうじ茶のご案内」。")
    elif sheet.is_phrase and not saved_messages.is_plain(message):
        sheet.problem = _("定型文にできるのは、文章が1つだけのメッセージです。")
    if sheet.problem:
        return _page(line, composer, sheet)
    is_asked = True
    try:
        composer.errors = complaints_of(line, message, PREFIX)
    except LineConnectError:
        is_asked = False
    if composer.errors:
        return _page(line, composer, sheet)
    is_new = sheet.name is None or request.form.get("do") == "save-new"
    key, after = (_new_name(), 0) if is_new or sheet.name is None else (sheet.name, sheet.version)
    try:
        _save(line, Saving(key, sheet.label, message, sheet.is_phrase, after))
    except Refused as refused:
        line.session.rollback()
        sheet.problem, sheet.is_late = refused.message, True
        return _page(line, composer, sheet)
    say(_saved(sheet.label, is_asked=is_asked))
    return go("messages")


def _saved(label: str, *, is_asked: bool) -> str:
    if is_asked:
        return _("「%(label)s」を保存しました。LINEの検査：問題ありません。", label=label)
    return _(
        "「%(label)s」を保存しました。いまLINEにつながらないため、LINEの検査はまだです。"
        "あとでもう一度保存すると、検査します。",
        label=label,
    )


def _save(line: LineState, one: Saving) -> None:
    saved_messages.save(line.session, one, by=current_staff().key, now=line.clock())
    note("message-saved", subject=f"message:{one.name}")
    line.session.commit()


def _send_to_me(line: LineState, message: str, sheet: Sheet) -> None:
    """Send a message to who is at the console, if they are a member with LINE."""
    account = _my_account(line)
    if account is None:
        sheet.problem = _("試し送信は、ご自分の会員アカウントをLINEと連携すると使えます。")
        return
    definition = saved_messages.definition_of(sheet.label, Variant("", 1, message))
    try:
        send_test(line, definition, [account.member_id])
    except UsageError as error:
        line.session.rollback()
        sheet.problem = _("ご自分あてには書き出せません。%(why)s", why=why(error))
        return
    note("message-tested", member_key=account.member_id, account_id=account.id)
    line.session.commit()
    sheet.said = _("ご自分のLINEに送りました。")


def _my_account(line: LineState) -> Account | None:
    user = sessions.logged_in_user()
    is_member = isinstance(user, line.shop.model)
    return accounts.account_of_member(line, user) if is_member else None


def _page(line: LineState, composer: Composer, sheet: Sheet) -> str:
    more: dict[str, Any] = {"said": sheet.said} if sheet.said else {}
    return render(
        "message",
        composer=composer,
        sheet=sheet,
        most_label=MAX_LABEL,
        can_test=_my_account(line) is not None,
        **more,
    )


def _kept(line: LineState, name: str) -> SavedMessage:
    return line.session.get(SavedMessage, name) or abort(404)


def _new_name() -> str:
    return f"message_{secrets.token_hex(6)}"
