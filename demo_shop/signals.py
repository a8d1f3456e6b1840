"""What the shop tells to whoever listens, inside the transaction and before its commit."""

from blinker import Namespace

_signals = Namespace()

#: Points were added at the counter; argument ``entry``.
points_added = _signals.signal("points-added")
#: A member's password was set or changed; argument ``user``.
password_changed = _signals.signal("password-changed")
#: Somebody chose a language on the shop's pages; argument ``language``.
language_chosen = _signals.signal("language-chosen")
#: Staff answered an inquiry; arguments ``inquiry`` and ``text``.
inquiry_answered = _signals.signal("inquiry-answered")
#: What is in a member's cart changed; arguments ``user``, ``products`` and ``count``.
cart_changed = _signals.signal("cart-changed")
#: Points were booked, for whatever reason; arguments ``user`` and ``entry``.
points_booked = _signals.signal("points-booked")
#: An order was placed; argument ``order``.
order_placed = _signals.signal("order-placed")
