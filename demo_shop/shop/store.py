"""The store: products, cart, checkout, and the page for visitors of the real shop."""

from __future__ import annotations

from flask import Blueprint
from flask import abort
from flask import current_app
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import send_from_directory
from flask import session
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from flask_login import login_required
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from .. import cart
from ..extensions import db
from ..favourites import add_favourite
from ..favourites import is_favourite
from ..forms import CheckoutForm
from ..models import Product
from ..orders import OutOfStock
from ..orders import order_by_number
from ..orders import place_order
from ..signals import cart_changed
from ..views import note_view
from .texts import words

pages = Blueprint("store", __name__)

CATEGORIES = {
    "tea": lazy_gettext("お茶"),
    "sweets": lazy_gettext("和菓子"),
    "ware": lazy_gettext("うつわ"),
    "gift": lazy_gettext("贈りもの"),
}
ADDRESS_FIELDS = ("name", "postal_code", "address", "phone")


@pages.app_context_processor
def _everywhere() -> dict[str, object]:
    language = str(get_locale() or "ja")
    return {"cart_count": cart.count(), "categories": CATEGORIES, "language": language}


@pages.get("/")
def home() -> str:
    """Show the products, all or of one category."""
    chosen = request.args.get("category")
    statement = select(Product).order_by(Product.id)
    if chosen in CATEGORIES:
        statement = statement.where(Product.category == chosen)
    products = db.session.scalars(statement).all()
    return render_template("store/home.html", products=products, chosen=chosen)


@pages.get("/products/<slug>")
def product(slug: str) -> str:
    """Show one product; that a member looked at it is noted if they allow it."""
    found = _product(slug)
    is_kept = False
    if current_user.is_authenticated:
        member = current_user._get_current_object()
        is_kept = is_favourite(db.session(), member, found)
        if request.method == "GET" and note_view(db.session(), member, found):
            db.session.commit()
    return render_template("store/product.html", product=found, is_kept=is_kept)


@pages.post("/products/<slug>/keep")
@login_required
def keep(slug: str) -> Response:
    """Keep a product as a favourite."""
    found = _product(slug)
    add_favourite(db.session(), current_user._get_current_object(), found)
    db.session.commit()
    flash(_("%(name)sをお気に入りに登録しました。", name=words(found.name)))
    return redirect(url_for(".product", slug=slug))


@pages.get("/pictures/<slug>.png")
def picture(slug: str) -> Response:
    """Serve a product's picture."""
    folder = current_app.config["PICTURES_FOLDER"]
    return send_from_directory(folder, f"{slug}.png", max_age=86_400)


@pages.get("/cart")
def show_cart() -> str:
    """Show the cart."""
    _tell_cart(is_changed=False)
    lines = cart.lines(db.session())
    return render_template("store/cart.html", lines=lines, total=cart.total(lines))


@pages.post("/cart/add/<slug>")
def add_to_cart(slug: str) -> Response:
    """Put a product into the cart."""
    found = _product(slug)
    cart.add(found, max(request.form.get("quantity", 1, int), 1))
    _tell_cart()
    flash(_("%(name)sをカートに入れました。", name=words(found.name)))
    return redirect(url_for(".show_cart"))


@pages.post("/cart/change/<slug>")
def change_cart(slug: str) -> Response:
    """Change a quantity; none takes the product out."""
    cart.set_quantity(_product(slug).id, request.form.get("quantity", 0, int))
    _tell_cart()
    return redirect(url_for(".show_cart"))


def _tell_cart(*, is_changed: bool = True) -> None:
    """Tell what a member's cart holds now; a visitor's is nobody's until they log in."""
    if not current_user.is_authenticated:
        return
    user = current_user._get_current_object()
    told = [user.id, cart.version()]
    if not is_changed and (session.get("cart_told") == told or not cart.count()):
        return
    session["cart_told"] = told
    products = [line.product for line in cart.lines(db.session())]
    cart_changed.send(None, user=user, products=products, count=cart.count())
    db.session.commit()


@pages.route("/checkout", methods=["GET", "POST"])
@login_required
def checkout() -> Response | str:
    """Ask where the order goes, and place it."""
    _tell_cart(is_changed=False)
    lines = cart.lines(db.session())
    if not lines:
        return redirect(url_for(".show_cart"))
    form = CheckoutForm(obj=current_user)
    if form.validate_on_submit():
        address = {name: form[name].data for name in ADDRESS_FIELDS}
        key = (form.key.data or "")[:32] or None
        placed = _place(lines, address, key, form.payment.data)
        if placed is not None:
            return placed
    return render_template("store/checkout.html", form=form, lines=lines, total=cart.total(lines))


def _place(
    lines: list[cart.CartLine], address: dict[str, str], key: str | None, payment: str
) -> Response | None:
    member = current_user._get_current_object()
    try:
        try:
            order = place_order(db.session(), member, lines, address, key=key, payment=payment)
        except IntegrityError:
            # The other press of two at once was faster; its order is found now.
            db.session.rollback()
            order = place_order(db.session(), member, lines, address, key=key, payment=payment)
    except OutOfStock as missing:
        db.session.rollback()
        name = words(missing.product.name)
        flash(_("申し訳ありません。%(name)sの在庫が足りません。", name=name), "problem")
        return None
    for name in ("postal_code", "address", "phone"):
        setattr(member, name, getattr(member, name) or address[name])
    db.session.commit()
    cart.clear()
    return redirect(url_for(".complete", number=order.number))


@pages.get("/orders/<number>/complete")
@login_required
def complete(number: str) -> str:
    """Say thank you."""
    order = order_by_number(db.session(), current_user._get_current_object(), number)
    return render_template("store/complete.html", order=order or abort(404))


@pages.get("/store")
def visit() -> str:
    """Show what a visitor of the real shop sees at the counter."""
    return render_template("store/visit.html")


@pages.get("/terms")
def terms() -> str:
    """Show the terms of membership."""
    return render_template("store/terms.html")


def _product(slug: str) -> Product:
    found = db.session.scalars(select(Product).where(Product.slug == slug)).one_or_none()
    return found or abort(404)
