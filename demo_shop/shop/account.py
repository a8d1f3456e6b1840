"""The member's account: log in, register, my page, orders."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import Blueprint
from flask import abort
from flask import current_app
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_login import login_required
from flask_login import login_user
from flask_login import logout_user
from werkzeug.wrappers import Response

from .. import cart
from ..clock import utcnow
from ..extensions import db
from ..forms import LoginForm
from ..forms import RegisterForm
from ..forms import WishesForm
from ..members import make_member
from ..members import recognise
from ..models import User
from ..orders import order_by_number
from ..orders import orders_of
from ..points import history
from ..signals import language_chosen
from ..tries import may_try
from ..tries import note_try
from ..views import allow_views
from . import passwords

#: Where a session keeps the language: chosen on the shop's pages, or inside LINE.
LANGUAGE_KEYS = ("language", "lineconnect_language")

pages = Blueprint("account", __name__)
passwords.register(pages)


@pages.route("/log-in", methods=["GET", "POST"])
def log_in() -> Response | str:
    """Log in with e-mail address and password."""
    if current_user.is_authenticated:
        return redirect(next_page(default=url_for(".my_page")) or "/")
    form = LoginForm()
    if form.validate_on_submit():
        if not may_try(form.email.data):
            return one_too_many("account/log_in.html", form=form, next=next_page(default=None))
        password = form.password.data or ""
        member = recognise(db.session(), email=form.email.data, password=password)
        if member is not None and member.is_active:
            return enter(member)
        note_try(form.email.data)
        flash(_("メールアドレスかパスワードが違います。"), "problem")
    return render_template("account/log_in.html", form=form, next=next_page(default=None))


@pages.route("/register", methods=["GET", "POST"])
def register() -> Response | str:
    """Register with a password."""
    if current_user.is_authenticated:
        return redirect(next_page(default=url_for(".my_page")) or "/")
    form = RegisterForm()
    if form.validate_on_submit():
        if not may_try(form.email.data):
            return one_too_many("account/register.html", form=form, next=next_page(default=None))
        member = make_member(
            db.session(),
            email=form.email.data,
            name=form.name.data,
            password=form.password.data,
        )
        if member is not None:
            db.session.commit()
            return enter(member)
        note_try(form.email.data)
        flash(_("このメールアドレスでは登録できません。ログインをお試しください。"), "problem")
    return render_template("account/register.html", form=form, next=next_page(default=None))


@pages.post("/log-out")
def log_out() -> Response:
    """Log out; the cart stays."""
    logout_user()
    _renew_session()
    return redirect(url_for("store.home"))


@pages.get("/my-page")
@login_required
def my_page() -> str:
    """Show the member's points and latest orders."""
    member = current_user._get_current_object()
    return render_template(
        "account/my_page.html",
        entries=history(db.session(), member, limit=6),
        orders=orders_of(db.session(), member, limit=3),
        wishes=WishesForm(born_on=member.born_on, sees_views=member.views_allowed_at is not None),
    )


@pages.post("/my-page/wishes")
@login_required
def wishes() -> Response:
    """Keep the member's birthday, and whether the shop may note what they look at."""
    form, member = WishesForm(), current_user._get_current_object()
    if form.validate_on_submit():
        if form.born_on.data != member.born_on:
            member.born_on, member.born_on_changed_at = form.born_on.data, utcnow()
        allow_views(db.session(), member, form.sees_views.data)
        db.session.commit()
        flash(_("保存しました。"))
    else:
        flash(_("お誕生日は 1990-12-03 の形で入力してください。"), "problem")
    return redirect(url_for(".my_page"))


@pages.get("/orders")
@login_required
def orders() -> str:
    """List the member's orders."""
    found = orders_of(db.session(), current_user._get_current_object(), limit=50)
    return render_template("account/orders.html", orders=found)


@pages.get("/orders/<number>")
@login_required
def order(number: str) -> str:
    """Show one of the member's own orders."""
    found = order_by_number(db.session(), current_user._get_current_object(), number)
    return render_template("account/order.html", order=found or abort(404))


@pages.post("/language")
def language() -> Response:
    """Change the language."""
    chosen = request.form.get("language")
    if chosen in current_app.config["LANGUAGES"]:
        session["language"] = chosen
        language_chosen.send(None, language=chosen)
        db.session.commit()
    return redirect(next_page(default=url_for("store.home")) or "/")


def one_too_many(template: str, **context: Any) -> Response:
    """Show a form again whose password or e-mail address was tried too often."""
    flash(_("短い時間に何度もお試しになったようです。10分ほど待ってください。"), "problem")
    page = render_template(template, **context)
    return Response(page, HTTPStatus.TOO_MANY_REQUESTS, mimetype="text/html")


def enter(member: User) -> Response:
    """Log a member in, in a session of their own, and go where they were going."""
    target = next_page(default=url_for(".my_page"))
    _renew_session()
    login_user(member)
    return redirect(target or "/")


def _renew_session() -> None:
    """Clear the session, so that nothing planted before a login is believed after it."""
    kept = {key: session[key] for key in (cart.KEY, *LANGUAGE_KEYS) if key in session}
    session.clear()
    session.update(kept)


def next_page(*, default: str | None) -> str | None:
    """Return where to go afterwards: a page of this shop, rebuilt, or the default."""
    target = request.values.get("next", "")
    try:
        parts = urlsplit(target)
    except ValueError:
        return default
    is_path = target.startswith("/") and not target.startswith("//")
    is_foreign = parts.scheme or parts.netloc or "\\" in target or not target.isprintable()
    if is_foreign or not is_path:
        return default
    return urlunsplit(("", "", parts.path, parts.query, ""))
