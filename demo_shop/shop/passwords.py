"""Pages on which a member sets a password, also without the old one, and the demo's mails."""

from __future__ import annotations

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_login import login_required
from sqlalchemy import select
from werkzeug.security import check_password_hash
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms import ChangeForm
from ..forms import ForgottenForm
from ..forms import PasswordForm
from ..models import Mail
from ..models import User
from ..passwords import link_token
from ..passwords import member_behind
from ..passwords import set_password
from ..tries import may_try
from ..tries import note_try
from . import account

#: Mails on the page of the outbox.
MAILS = 20


def register(pages: Blueprint) -> None:
    """Add the pages to those of the account."""
    both = ["GET", "POST"]
    pages.add_url_rule("/set-password", "set_password", login_required(set_own), methods=both)
    pages.add_url_rule("/forgotten-password", view_func=forgotten, methods=both)
    pages.add_url_rule("/set-password/<token>", view_func=set_by_link, methods=both)
    pages.add_url_rule("/mails", view_func=mails)


def set_own() -> Response | str:
    """Let a member who is logged in set a password; who has one must know it."""
    member = current_user._get_current_object()
    has_one = member.password_hash is not None
    form, next_page = ChangeForm() if has_one else PasswordForm(), account.next_page(default=None)
    if form.validate_on_submit():
        if has_one and not may_try(member.email):
            return account.one_too_many("account/set_password.html", form=form, next=next_page)
        if has_one and not check_password_hash(member.password_hash, form.current.data):
            note_try(member.email)
            form.current.errors = [_("いまのパスワードが違います。")]
        else:
            return _set(member, form.password.data)
    return render_template("account/set_password.html", form=form, next=next_page)


def forgotten() -> Response | str:
    """Mail a link to whoever has an account, and say the same to everybody."""
    form = ForgottenForm()
    if form.validate_on_submit():
        if not may_try(form.email.data):
            return account.one_too_many("account/forgotten.html", form=form)
        # Each may send a mail to somebody who did not ask for it.
        note_try(form.email.data)
        token = link_token(db.session(), form.email.data)
        if token is not None:
            db.session.add(_mail_with(token, form.email.data))
            db.session.commit()
        flash(_("ご登録のメールアドレスでしたら、パスワード設定のご案内をお送りしました。"))
        return redirect(url_for(".log_in", next=account.next_page(default=None)))
    return render_template("account/forgotten.html", form=form)


def set_by_link(token: str) -> Response | str:
    """Set a password with the link of a mail, which proves whose account it is."""
    member = member_behind(db.session(), token)
    if member is None:
        flash(_("このリンクは使えなくなりました。もう一度お手続きください。"), "problem")
        return redirect(url_for(".forgotten"))
    form = PasswordForm()
    if form.validate_on_submit():
        return _set(member, form.password.data)
    return render_template("account/set_password.html", form=form, next=None)


def mails() -> str:
    """Show the mails that a real shop would have sent."""
    found = db.session.scalars(select(Mail).order_by(Mail.id.desc()).limit(MAILS)).all()
    return render_template("account/mails.html", mails=found)


def _set(member: User, password: str) -> Response:
    set_password(member, password)
    db.session.commit()
    flash_text = _("パスワードを設定しました。")
    # Logged in by the new password: other sessions, and the one that LINE gave, have ended.
    answer = account.enter(member)
    flash(flash_text)
    return answer


def _mail_with(token: str, email: str) -> Mail:
    link = url_for(".set_by_link", token=token, _external=True)
    text = _(
        "次のリンクから、1時間以内にパスワードを設定してください。\n\n%(link)s\n\n"
        "お心当たりのない場合は、このメールを破棄してください。",
        link=link,
    )
    return Mail(to=email, subject=_("パスワードの設定"), text=text)
