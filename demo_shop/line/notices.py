"""What the shop tells members by LINE, in the same transaction as the thing itself."""

from typing import Any

from flask_lineconnect import render_message

from ..models import Inquiry
from ..models import Order
from ..models import PointEntry
from ..models import User
from ..points import balance_of
from ..signals import inquiry_answered
from ..signals import language_chosen
from ..signals import order_placed
from ..signals import password_changed
from ..signals import points_added
from .extension import line


@points_added.connect
def tell_points(_sender: object, entry: PointEntry, **_more: Any) -> None:
    """Tell the member about points that were added at the counter, if there were any."""
    if not entry.amount:
        return
    with line.in_language_of(entry.user):
        balance = balance_of(entry.user)
        message = render_message("line/points_added.json", entry=entry, balance=balance)
    line.send(entry.user, message, category="points", key=f"points:{entry.key}")
    line.points_changed(entry.user)


@order_placed.connect
def confirm_order(_sender: object, order: Order, **_more: Any) -> None:
    """Confirm an order to the member who placed it."""
    with line.in_language_of(order.user):
        message = render_message("line/order_placed.json", order=order)
    line.send(order.user, message, category="order", key=f"order:{order.number}:placed")
    line.points_changed(order.user)


@inquiry_answered.connect
def send_answer(_sender: object, inquiry: Inquiry, text: str, **_more: Any) -> None:
    """Answer in the chat what a member asked there."""
    line.send(inquiry.user, text, key=f"inquiry:{inquiry.id}")


@password_changed.connect
def end_what_began_before(_sender: object, user: User, **_more: Any) -> None:
    """Let no login that began with an older password outlive it."""
    line.credentials_changed(user)


@language_chosen.connect
def speak(_sender: object, language: str, **_more: Any) -> None:
    """Speak the language of the shop's pages inside LINE and in messages, too."""
    line.language_chosen(language)
