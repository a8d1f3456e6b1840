"""The counter: staff read a card and add points for a purchase."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint
from flask import abort
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_login import login_required
from werkzeug.wrappers import Response

from flask_lineconnect import shown_name

from ..extensions import db
from ..forms import AnsweredForm
from ..forms import AnswerForm
from ..forms import CounterForm
from ..forms import PointsForm
from ..inquiries import open_inquiries
from ..inquiries import orders_asked_about
from ..members import find_by_card
from ..models import Inquiry
from ..models import PointEntry
from ..models import User
from ..points import YEN_PER_POINT
from ..points import add_at_counter
from ..points import balance_of
from ..points import points_for
from ..signals import inquiry_answered
from .texts import number

pages = Blueprint("counter", __name__, url_prefix="/counter")


def staff_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let staff in, and nobody else."""

    @wraps(view)
    @login_required
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_staff:
            abort(403)
        return view(*args, **kwargs)

    return guarded


@pages.route("", methods=["GET", "POST"])
@staff_only
def look_up() -> Response | str:
    """Find a member by the card."""
    form = CounterForm()
    if form.validate_on_submit():
        member = find_by_card(db.session(), form.card_number.data or "")
        if member is not None:
            return redirect(url_for(".member", card_number=member.card_number))
        flash(_("このカード番号の会員は見つかりません。"), "problem")
    return render_template(
        "counter/look_up.html",
        form=form,
        inquiries=open_inquiries(db.session()),
        answered=AnsweredForm(),
    )


@pages.get("/inquiries/<int:inquiry_id>")
@staff_only
def inquiry(inquiry_id: int) -> str:
    """Show an inquiry with the orders that it may be about, and the answer's form."""
    return _inquiry_page(_inquiry(inquiry_id), AnswerForm())


@pages.post("/inquiries/<int:inquiry_id>/answer")
@staff_only
def answer(inquiry_id: int) -> Response | str:
    """Answer in LINE, and take the inquiry off the list."""
    inquiry, form = _inquiry(inquiry_id), AnswerForm()
    if not form.validate_on_submit() or inquiry.user is None:
        return _inquiry_page(inquiry, form)
    inquiry.is_answered = True
    inquiry_answered.send(None, inquiry=inquiry, text=form.text.data)
    db.session.commit()
    flash(_("%(name)s さまにお返事しました。", name=shown_name(inquiry.name)))
    return redirect(url_for(".look_up"))


def _inquiry(inquiry_id: int) -> Inquiry:
    return db.session.get(Inquiry, inquiry_id) or abort(404)


def _inquiry_page(inquiry: Inquiry, form: AnswerForm) -> str:
    orders = orders_asked_about(db.session(), inquiry)
    return render_template("counter/inquiry.html", inquiry=inquiry, form=form, orders=orders)


@pages.post("/inquiries/<int:inquiry_id>")
@staff_only
def answered(inquiry_id: int) -> Response:
    """Take an inquiry off the list."""
    form = AnsweredForm()
    inquiry = _inquiry(inquiry_id)
    if form.validate_on_submit():
        inquiry.is_answered = True
        db.session.commit()
    return redirect(url_for(".look_up"))


@pages.route("/<card_number>", methods=["GET", "POST"])
@staff_only
def member(card_number: str) -> Response | str:
    """Show a member and add points for a purchase."""
    found = _member(card_number)
    form = PointsForm()
    if form.validate_on_submit():
        yen = form.yen.data or 0
        key = f"counter:{found.id}:{form.key.data}"
        entry = add_at_counter(db.session(), found, yen, key=key)
        db.session.commit()
        _tell(entry, found, is_as_asked=entry.amount == points_for(yen))
        return redirect(url_for(".look_up"))
    return render_template(
        "counter/member.html", form=form, member=found, yen_per_point=YEN_PER_POINT
    )


def _tell(entry: PointEntry, member: User, *, is_as_asked: bool) -> None:
    """Say what is in the books: a page that was sent before may name another amount now."""
    numbers = {
        "name": shown_name(member.name),
        "points": number(entry.amount),
        "balance": number(balance_of(member)),
    }
    if is_as_asked and not entry.amount:
        flash(_("%(name)s さまのこのお買い物には、ポイントがつきません。", name=numbers["name"]))
        return
    if is_as_asked:
        flash(
            _(
                "%(name)s さまに%(points)sポイントをつけました。残高は%(balance)sポイントです。",
                **numbers,
            )
        )
        return
    flash(
        _(
            "%(name)s さまには、先ほどの画面で%(points)sポイントを記録済みです。"
            "残高は%(balance)sポイントです。別のお買い物は、カードをもう一度読み取ってください。",
            **numbers,
        ),
        "problem",
    )


def _member(card_number: str) -> User:
    return find_by_card(db.session(), card_number) or abort(404)
