"""What the shop tells to whoever listens, inside the transaction and before its commit."""

from blinker import Namespace

_signals = Namespace()

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
#: An order went on; arguments ``order`` and ``what``: ``paid``, ``shipped``, ``out_for_delivery``,
#: ``delivered`` or ``cancelled``.
order_moved = _signals.signal("order-moved")
#: A seat was booked, or something became of it; arguments ``booking`` and ``what``: ``made``,
#: ``changed``, ``cancelled``, ``arrived`` or ``missed``.
booking_moved = _signals.signal("booking-moved")
#: A member keeps a product; arguments ``user`` and ``product``.
favourite_added = _signals.signal("favourite-added")
#: Some of those who keep a product are told that it is back, in their turn; arguments ``product``,
#: ``members``, a select of their keys, and ``tell_at``.
favourite_back = _signals.signal("favourite-back")
#: A price fell so far that those who keep the product may be told; arguments ``product`` and
#: ``members``, a select of their keys.
price_lowered = _signals.signal("price-lowered")
#: A member who allows it looked at a product; arguments ``user`` and ``product``.
product_viewed = _signals.signal("product-viewed")
#: A member rose; arguments ``user`` and ``until``, the day until which the rank is kept.
rank_raised = _signals.signal("rank-raised")
#: A member used a coupon; arguments ``user`` and ``coupon``.
coupon_used = _signals.signal("coupon-used")
