"""ポイントでのお支払い: staff scan the one-time code on the customer's card."""

from flask import Blueprint
from flask import abort
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from flask_lineconnect import shown_name

from ..extensions import db
from ..forms import PayForm
from ..models import PointEntry
from ..points import TooFewPoints
from ..points import balance_of
from ..points import booked_as
from ..points import spend
from ..shop.counter import staff_only
from ..shop.texts import number
from .extension import line

paying = Blueprint("paying", __name__, url_prefix="/counter")


@paying.route("/pay", methods=["GET", "POST"])
@staff_only
def pay() -> Response | str:
    """Take the code and the points in one transaction: neither goes without the other."""
    form = PayForm()
    if form.validate_on_submit():
        text, is_paid = _pay(form.code.data or "", form.points.data or 0, form.key.data or "")
        flash(text, "message" if is_paid else "problem")
        return redirect(url_for(".pay"))
    return render_template("counter/pay.html", form=form)


def _pay(code: str, amount: int, key: str) -> tuple[str, bool]:
    """Pay once for each form; return what to say, and whether this payment is in the books."""
    key = f"paid:{key}"
    member = line.redeem_card_code(code)
    if member is None:
        # The very same press, sent again, finds its code used up, and its own booking.
        earlier = booked_as(db.session(), key)
        if earlier is not None:
            return _earlier(earlier), True
        return _("このコードは使えません。新しいコードを表示していただいてください。"), False
    try:
        entry = spend(db.session(), member, amount, key=key)
    except TooFewPoints:
        db.session.rollback()
        return _("ポイントが足りません。お支払いは記録していません。"), False
    if entry is None:
        # A page from the browser's history: this code paid nothing, and stays good.
        db.session.rollback()
        return _earlier(booked_as(db.session(), key) or abort(409)), False
    line.points_changed(member)
    db.session.commit()
    text = _(
        "%(name)s さまの%(points)sポイントを使いました。残高は%(balance)sポイントです。",
        **_numbers(entry),
    )
    return text, True


def _earlier(entry: PointEntry) -> str:
    """Say whose payment a form booked before: it may have been another customer's."""
    text: str = _(
        "%(name)s さまのお支払いは、先ほどの画面で%(points)sポイントを記録済みです。"
        "残高は%(balance)sポイントです。別のお支払いは、この画面でコードを読み取ってください。",
        **_numbers(entry),
    )
    return text


def _numbers(entry: PointEntry) -> dict[str, str]:
    return {
        "name": shown_name(entry.user.name),
        "points": number(-entry.amount),
        "balance": number(balance_of(entry.user)),
    }
