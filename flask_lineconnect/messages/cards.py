"""Cards of the messages that owners write: LINE's Flex messages without LINE's JSON.

Products, coupons, and a few words with one button. What is on a product's card is asked when the
message is sent: its price, its picture, and whether it is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from ..errors import InvalidMessage
from ..i18n import speaking
from ..shop.member_desk import Coupon
from ..shop.member_desk import Favourite
from ..shop.money import write_money
from ..shop.product_desk import Product
from .draft_parts import MAX_BUTTON_LABEL
from .draft_parts import Tap
from .draft_parts import Words
from .draft_parts import absolute
from .objects import JsonObject
from .word_filters import Manner
from .word_filters import day_text

#: Of one Flex container, in bytes; whether LINE's KB has 1,000 or 1,024 is not said.
MAX_BUBBLE, MAX_CAROUSEL = 30_000, 50_000
MAX_BUBBLES = 12
#: Cards of one message: what people swipe through.
MAX_CARDS = 5
#: Of what matters less; readable on white and on black.
FAINT = "#767676"
#: Of the line that stands for a card in notifications, in characters.
MAX_LINE = 100


@dataclass(frozen=True, slots=True)
class ProductCards:
    """Cards of the shop's products: image, name, price, button.

    :ivar products: the name of the value that has them, a list of :class:`Product`, or of
        :class:`Favourite`.
    """

    products: str
    alt_text: Words
    button: Words

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message with the first five products.

        :raises InvalidMessage: there is none.
        """
        found = values.get(self.products) or ()
        # A fact may hold one product alone.
        products: Sequence[Favourite | Product] = (
            (found,) if isinstance(found, Favourite | Product) else found
        )
        if not products:
            raise InvalidMessage(f"{self.products} has no product to show")
        label = self.button.render(values, manner)
        bubbles = [_product_card(one, label, manner) for one in products[:MAX_CARDS]]
        contents = bubbles[0] if len(bubbles) == 1 else {"type": "carousel", "contents": bubbles}
        return flex(self.alt_text.render(values, manner), contents)


@dataclass(frozen=True, slots=True)
class CouponCard:
    """A card of one coupon of the member's.

    :ivar coupon: the name of the value that has it, a :class:`Coupon`.
    :ivar button: opens an address, such as the page with the member's coupons.
    """

    coupon: str
    alt_text: Words
    button: Tap

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message.

        :raises InvalidMessage: there is no coupon.
        """
        coupon: Coupon | None = values.get(self.coupon)
        if coupon is None:
            raise InvalidMessage(f"{self.coupon} is no coupon")
        lines = [_text(coupon.title, size="lg", weight="bold", wrap=True)]
        if coupon.amount is not None:
            price = _price(coupon.amount, coupon.currency, manner)
            lines.append(_text(price, size="xl", weight="bold"))
        if coupon.text:
            lines.append(_text(coupon.text, size="sm", wrap=True))
        if coupon.expires_on is not None:
            lines.append(_text(f"〜{day_text(coupon.expires_on, manner)}", size="sm"))
        action = self.button.render(values, manner, MAX_BUTTON_LABEL)
        return flex(self.alt_text.render(values, manner), _bubble(lines, action))


@dataclass(frozen=True, slots=True)
class NoteCard:
    """A few words and one button below them; the first line stands for both in notifications."""

    text: Words
    button: Tap

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message.

        :raises InvalidMessage: nothing is written, or the button is outside LINE's limits.
        """
        text = self.text.render(values, manner).strip()
        if not text:
            raise InvalidMessage("text is empty")
        action = self.button.render(values, manner, MAX_BUTTON_LABEL)
        first = text.splitlines()[0]
        alt_text = first if len(first) <= MAX_LINE else f"{first[: MAX_LINE - 1]}…"
        return flex(alt_text, _bubble([_text(text, wrap=True)], action))


def flex(alt_text: str, contents: Any) -> JsonObject:
    """Return a Flex message.

    :raises InvalidMessage: the container is none, or too large.
    """
    kind = contents.get("type") if isinstance(contents, dict) else None
    if kind not in ("bubble", "carousel"):
        raise InvalidMessage("contents is no bubble and no carousel")
    size = len(json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode())
    limit = MAX_BUBBLE if kind == "bubble" else MAX_CAROUSEL
    if size > limit:
        raise InvalidMessage(f"contents has {size} bytes; LINE takes {limit} for a {kind}")
    bubbles = contents.get("contents") if kind == "carousel" else [contents]
    if not isinstance(bubbles, list) or not 1 <= len(bubbles) <= MAX_BUBBLES:
        raise InvalidMessage(f"contents has not 1 to {MAX_BUBBLES} bubbles")
    return {"type": "flex", "altText": alt_text, "contents": contents}


def _product_card(product: Favourite | Product, label: str, manner: Manner) -> JsonObject:
    lines = [_text(product.name, weight="bold", wrap=True, maxLines=2)]
    if product.price is not None:
        lines.append(_text(_price(product.price, product.currency, manner), weight="bold"))
    if isinstance(product, Product) and product.was is not None:
        was = _price(product.was, product.currency, manner)
        lines.append(_text(was, size="sm", color=FAINT, decoration="line-through"))
    if product.note:
        lines.append(_text(product.note, size="sm", wrap=True, maxLines=1))
    action = None
    if product.url:
        if not label or len(label) > MAX_BUTTON_LABEL:
            raise InvalidMessage(f"label is empty or longer than {MAX_BUTTON_LABEL} characters")
        action = {"type": "uri", "label": label, "uri": _of_page(product.url, manner)}
    bubble = _bubble(lines, action)
    if product.image_url:
        picture = {"type": "image", "url": _of_page(product.image_url, manner), "size": "full"}
        bubble["hero"] = picture | {"aspectRatio": "20:13", "aspectMode": "cover"}
    return bubble


def _of_page(url: str, manner: Manner) -> str:
    """Return a whole address, as a page of the shop's has it: ``url_for`` knows its path."""
    return absolute(urljoin(f"{manner.base_url.rstrip('/')}/", url), manner)


def _bubble(lines: Sequence[JsonObject], action: JsonObject | None) -> JsonObject:
    bubble: JsonObject = {"type": "bubble", "body": _box(lines)}
    if action is not None:
        bubble["footer"] = _box([{"type": "button", "style": "primary", "action": action}])
    return bubble


def _box(contents: Sequence[JsonObject]) -> JsonObject:
    return {"type": "box", "layout": "vertical", "spacing": "sm", "contents": list(contents)}


def _text(text: str, **look: Any) -> JsonObject:
    return {"type": "text", "text": text, **look}


def _price(amount: Any, currency: str, manner: Manner) -> str:
    with speaking(manner.language):
        return write_money(amount, currency, manner.locale)
