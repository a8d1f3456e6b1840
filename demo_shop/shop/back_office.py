"""The back office: orders go on, shelves are filled, guests arrive. Each press is told to members.

Nothing is sent here: the shop tells what happened, and the scenarios say which messages follow.
"""

from __future__ import annotations

from flask import Blueprint
from flask import abort
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from .. import dispatch
from ..bookings import NoRoom
from ..bookings import bookings_now
from ..bookings import close_booking
from ..extensions import db
from ..forms import AnsweredForm
from ..forms import ShelfForm
from ..models import Booking
from ..models import Order
from ..models import Product
from ..stock import set_price
from ..stock import set_stock
from .bookings import moment
from .counter import staff_only

pages = Blueprint("back_office", __name__, url_prefix="/back-office")


@pages.get("")
@staff_only
def overview() -> str:
    """Show what waits: orders, shelves, bookings."""
    products = db.session.scalars(select(Product).order_by(Product.stock, Product.id)).all()
    return render_template(
        "counter/back_office.html",
        orders=dispatch.open_orders(db.session()),
        products=products,
        bookings=bookings_now(db.session()),
        form=AnsweredForm(),
        moment=moment,
    )


@pages.post("/orders/<int:order_id>/<what>")
@staff_only
def move_order(order_id: int, what: str) -> Response:
    """Let an order go one step further."""
    order = db.session.get(Order, order_id) or abort(404)
    try:
        if what == "ship":
            tracking = (request.form.get("tracking_number") or "").strip()[:20]
            if not tracking:
                flash(_("伝票番号を入力してください。"), "problem")
                return redirect(url_for(".overview"))
            dispatch.ship(db.session(), order, tracking)
        else:
            steps = {
                "pay": dispatch.pay,
                "go-out": dispatch.go_out,
                "deliver": dispatch.deliver,
                "cancel": dispatch.cancel,
            }
            (steps.get(what) or abort(404))(db.session(), order)
    except dispatch.WrongStep:
        db.session.rollback()
        text = _("ご注文 %(number)s は、いまその段階ではありません。", number=order.number)
        flash(text, "problem")
        return redirect(url_for(".overview"))
    db.session.commit()
    flash(_("ご注文 %(number)s を更新しました。", number=order.number))
    return redirect(url_for(".overview"))


@pages.post("/products/<slug>")
@staff_only
def fill_shelf(slug: str) -> Response:
    """Set how many there are, and the price."""
    statement = select(Product).where(Product.slug == slug).with_for_update()
    product = db.session.scalars(statement).one_or_none() or abort(404)
    form = ShelfForm()
    if form.validate_on_submit():
        set_stock(db.session(), product, form.stock.data or 0)
        set_price(db.session(), product, form.price.data or product.price)
        db.session.commit()
        flash(_("棚を更新しました。"))
    else:
        flash(_("在庫と価格を数字で入力してください。"), "problem")
    return redirect(url_for(".overview"))


@pages.post("/bookings/<int:booking_id>/<what>")
@staff_only
def close(booking_id: int, what: str) -> Response:
    """Note whether a guest came."""
    booking = db.session.get(Booking, booking_id) or abort(404)
    if what not in ("arrived", "missed"):
        abort(404)
    try:
        close_booking(db.session(), booking, what)
    except NoRoom:
        abort(409)
    db.session.commit()
    return redirect(url_for(".overview"))
