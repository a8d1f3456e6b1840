"""ポイントでのお支払い: staff scan the one-time code on the customer's card."""

from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..extensions import db
from ..forms import PayForm
from ..points import TooFewPoints
from ..points import balance_of
from ..points import spend
from ..shop.counter import staff_only
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
    member = line.redeem_card_code(code)
    if member is None:
        return _("このコードは使えません。新しいコードを表示していただいてください。"), False
    try:
        spend(db.session(), member, amount, key=f"paid:{key}")
    except TooFewPoints:
        db.session.rollback()
        return _("ポイントが足りません。お支払いは記録していません。"), False
    line.points_changed(member)
    db.session.commit()
    text = _(
        "%(name)s さまの%(points)sポイントを使いました。残高は%(balance)sポイントです。",
        name=member.name,
        points=f"{amount:,}",
        balance=f"{balance_of(member):,}",
    )
    return text, True
