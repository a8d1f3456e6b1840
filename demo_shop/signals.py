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
#: An order was placed; argument ``order``.
order_placed = _signals.signal("order-placed")
