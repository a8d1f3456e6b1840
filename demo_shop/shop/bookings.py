"""A member's bookings: made, moved, cancelled."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_skeleton
from flask import Blueprint
from flask import abort
from flask import current_app
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user
from flask_login import login_required
from werkzeug.wrappers import Response

from ..bookings import NoRoom
from ..bookings import book_seat
from ..bookings import bookings_of
from ..bookings import close_booking
from ..bookings import move_seat
from ..bookings import times_offered
from ..extensions import db
from ..forms import AnsweredForm
from ..forms import BookingForm
from ..forms import choices
from ..models import Booking

pages = Blueprint("bookings", __name__, url_prefix="/bookings")


@pages.route("", methods=["GET", "POST"])
@login_required
def mine() -> Response | str:
    """Show a member's bookings, and take a new one."""
    form = _form()
    member = current_user._get_current_object()
    if form.validate_on_submit():
        starts_at = datetime.fromisoformat(form.starts_at.data)
        try:
            book_seat(db.session(), member, form.menu.data, starts_at)
        except NoRoom:
            abort(409)
        db.session.commit()
        flash(_("ご予約を承りました。"))
        return redirect(url_for(".mine"))
    found = bookings_of(db.session(), member)
    return render_template(
        "account/bookings.html", bookings=found, form=form, moment=moment, closing=AnsweredForm()
    )


@pages.post("/<int:booking_id>/move")
@login_required
def move(booking_id: int) -> Response:
    """Move one of them."""
    form = _form()
    if form.starts_at.validate(form):
        try:
            starts_at = datetime.fromisoformat(form.starts_at.data)
            move_seat(db.session(), _own(booking_id), starts_at)
        except NoRoom:
            abort(409)
        db.session.commit()
        flash(_("ご予約を変更しました。"))
    return redirect(url_for(".mine"))


@pages.post("/<int:booking_id>/cancel")
@login_required
def cancel(booking_id: int) -> Response:
    """Cancel one of them."""
    try:
        close_booking(db.session(), _own(booking_id), "cancelled")
    except NoRoom:
        abort(409)
    db.session.commit()
    flash(_("ご予約をキャンセルしました。"))
    return redirect(url_for(".mine"))


def moment(at: datetime) -> str:
    """Return a moment in the shop's zone, as people read it."""
    local = at.astimezone(current_app.config["SHOP_ZONE"])
    return f"{format_skeleton('MMMEd', local, locale=get_locale())} {local:%H:%M}"


def _form() -> BookingForm:
    form = BookingForm()
    form.starts_at.choices = choices({at.isoformat(): moment(at) for at in times_offered()})
    return form


def _own(booking_id: int) -> Booking:
    found = db.session.get(Booking, booking_id)
    if found is None or found.user_id != current_user.id:
        abort(404)
    return found
