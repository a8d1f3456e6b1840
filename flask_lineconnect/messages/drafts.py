"""Messages as owners write them: data with wordings, which become LINE's messages for one reader.

Each draft can be checked before anything runs: every value that it names, and LINE's limits with
the longest values at hand. How values are written: ``wording.py``; read from data:
``draft_data.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import TypeAlias
from urllib.parse import urlsplit

from ..errors import InvalidMessage
from ..errors import UsageError
from ..i18n import speaking
from ..shop.member_desk import Coupon
from ..shop.member_desk import Favourite
from ..shop.money import write_money
from .limits import MAX_QUICK_REPLIES
from .limits import THIS_MACHINE
from .limits import check_messages
from .limits import utf16_length
from .objects import JsonObject
from .places import Places
from .word_filters import Manner
from .word_filters import day_text
from .wording import Variables
from .wording import Wording
from .wording import longest

#: Of an action below a text, and of a button in a Flex message; LINE counts what is read as one
#: sign, and these counts are never smaller.
MAX_REPLY_LABEL, MAX_BUTTON_LABEL = 20, 40
MAX_URI = 1_000
MAX_REPLY_TEXT = 300
#: Of one Flex container, in bytes; whether LINE's KB has 1,000 or 1,024 is not said.
MAX_BUBBLE, MAX_CAROUSEL = 30_000, 50_000
MAX_BUBBLES = 12
#: Cards of one message: what people swipe through.
MAX_CARDS = 5

#: One wording for all, or one for each language; the first stands in for others.
Texts: TypeAlias = str | Mapping[str, str]


class InvalidDraft(UsageError):
    """A message that an owner wrote can't be sent.

    :ivar place: where in it, such as ``text.en``.
    """

    def __init__(self, message: str, *, place: str):
        super().__init__(f"{place}: {message}")
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class Words:
    """Wordings of one text by language."""

    by_language: tuple[tuple[str, Wording], ...]

    @classmethod
    def read(cls, texts: Texts, variables: Variables, place: str) -> Words:
        """Read what an owner wrote.

        :raises InvalidDraft: nothing is written, or a value is named that there is not.
        """
        given = {"": texts} if isinstance(texts, str) else dict(texts)
        if not given:
            raise InvalidDraft("no text is written", place=place)
        found = []
        for language, source in given.items():
            where = f"{place}.{language}" if language else place
            if not isinstance(source, str) or not source.strip():
                raise InvalidDraft("no text is written", place=where)
            try:
                found.append((language, Wording.read(source, variables)))
            except UsageError as error:
                raise InvalidDraft(str(error), place=where) from None
        return cls(tuple(found))

    def render(self, values: Mapping[str, Any], manner: Manner) -> str:
        """Return the text in the reader's language."""
        return self.wording(manner.language).render(values, manner)

    def wording(self, language: str) -> Wording:
        """Return the wording in a language, in the one that it is a kind of, or else the first."""
        given = dict(self.by_language)
        base = language.partition("_")[0]
        return given.get(language) or given.get(base) or self.by_language[0][1]

    @property
    def languages(self) -> list[str]:
        """The languages that are written, apart from the one for all."""
        return [language for language, _wording in self.by_language if language]


@dataclass(frozen=True, slots=True)
class Tap:
    """A button, or a quick reply: opens an address, or writes a text into the chat."""

    label: Words
    url: Words | None = None
    text: Words | None = None

    def render(self, values: Mapping[str, Any], manner: Manner, limit: int) -> JsonObject:
        """Return LINE's action.

        :raises InvalidMessage: a text or the address is outside LINE's limits.
        """
        label = self.label.render(values, manner)
        if not label or len(label) > limit:
            raise InvalidMessage(f"label is empty or longer than {limit} characters: {len(label)}")
        if self.url is not None:
            return {"type": "uri", "label": label, "uri": address(self.url, values, manner)}
        text = (self.text or self.label).render(values, manner)
        if not text or len(text) > MAX_REPLY_TEXT:
            raise InvalidMessage(f"text is empty or longer than {MAX_REPLY_TEXT} characters")
        return {"type": "message", "label": label, "text": text}


@dataclass(frozen=True, slots=True)
class TextDraft:
    """A text."""

    text: Words

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message."""
        return {"type": "text", "text": self.text.render(values, manner)}


@dataclass(frozen=True, slots=True)
class FlexDraft:
    """A Flex message from a template that is JSON; values stay in their places in it."""

    alt_text: Words
    contents: Words

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message.

        :raises InvalidMessage: what came out is no Flex container.
        """
        places = Places()
        text = self.contents.render(values, replace(manner, places=places))
        try:
            contents = places.parse(text)
        except json.JSONDecodeError as error:
            raise InvalidMessage(
                f"contents is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
            ) from None
        except ValueError as error:
            raise InvalidMessage(f"contents: {error}") from None
        return flex(self.alt_text.render(values, manner), contents)


@dataclass(frozen=True, slots=True)
class ProductCards:
    """Cards of the shop's products: image, name, price, button.

    :ivar products: the name of the value that has them, a list of :class:`Favourite`.
    """

    products: str
    alt_text: Words
    button: Words

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message with the first five products.

        :raises InvalidMessage: there is none.
        """
        products: Sequence[Favourite] = values.get(self.products) or ()
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


Body: TypeAlias = TextDraft | FlexDraft | ProductCards | CouponCard


@dataclass(frozen=True, slots=True)
class Draft:
    """One message that an owner wrote, with quick replies below it."""

    body: Body
    quick_replies: tuple[Tap, ...] = ()

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message for one reader.

        :raises MissingValue: a value that it names is absent.
        :raises InvalidMessage: it is outside LINE's limits.
        """
        message = self.body.render(values, manner)
        if self.quick_replies:
            items = [
                {"type": "action", "action": one.render(values, manner, MAX_REPLY_LABEL)}
                for one in self.quick_replies[:MAX_QUICK_REPLIES]
            ]
            message["quickReply"] = {"items": items}
        check_messages([message])
        return message


def check(
    draft: Draft,
    variables: Variables,
    *,
    languages: Sequence[str] = ("ja",),
    manner: Manner | None = None,
    at_hand: Iterable[Mapping[str, Any]] = (),
    place: str = "message",
) -> None:
    """Render a draft with the longest values at hand, in each language, and look at LINE's limits.

    :param at_hand: values of before, by which lengths are judged.
    :raises InvalidDraft: it can't be sent; names the language.
    """
    values = longest(variables, at_hand) | _samples(draft.body)
    for language in languages:
        read = replace(manner or Manner(base_url="https://shop.example"), language=language)
        try:
            draft.render(values, read)
        except UsageError as error:
            raise InvalidDraft(str(error), place=f"{place} ({language})") from None


def _samples(body: Body) -> dict[str, Any]:
    """Return the longest cards: what the shop hands over is known only when it is sent."""
    name, picture = "あ" * 60, "https://shop.example/" + "a" * 100
    if isinstance(body, ProductCards):
        product = Favourite("p", name, picture, picture, 9_999_999, note="あ" * 40)
        return {body.products: [product] * MAX_CARDS}
    if isinstance(body, CouponCard):
        return {body.coupon: Coupon("c", name, "あ" * 200)}
    return {}


def address(url: Words, values: Mapping[str, Any], manner: Manner) -> str:
    """Return an address with its values escaped; one that begins with a slash is the shop's.

    :raises InvalidMessage: it is no https:// address.
    """
    text = url.render(values, replace(manner, is_address=True, places=None)).strip()
    return _absolute(text, manner)


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


def _product_card(product: Favourite, label: str, manner: Manner) -> JsonObject:
    lines = [_text(product.name, weight="bold", wrap=True, maxLines=2)]
    if product.price is not None:
        lines.append(_text(_price(product.price, product.currency, manner), weight="bold"))
    if product.note:
        lines.append(_text(product.note, size="sm", wrap=True, maxLines=1))
    action = None
    if product.url:
        if not label or len(label) > MAX_BUTTON_LABEL:
            raise InvalidMessage(f"label is empty or longer than {MAX_BUTTON_LABEL} characters")
        action = {"type": "uri", "label": label, "uri": _absolute(product.url, manner)}
    bubble = _bubble(lines, action)
    if product.image_url:
        picture = {"type": "image", "url": _absolute(product.image_url, manner), "size": "full"}
        bubble["hero"] = picture | {"aspectRatio": "20:13", "aspectMode": "cover"}
    return bubble


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


def _absolute(url: str, manner: Manner) -> str:
    is_own = url.startswith("/") and not url.startswith("//")
    whole = f"{manner.base_url.rstrip('/')}{url}" if is_own else url
    try:
        parts = urlsplit(whole)
    except ValueError:
        parts = urlsplit("")
    is_here = parts.scheme == "http" and parts.hostname in THIS_MACHINE
    if not is_here and (parts.scheme != "https" or not parts.hostname):
        raise InvalidMessage("an address begins neither with https:// nor with a slash")
    if utf16_length(whole) > MAX_URI:
        raise InvalidMessage(f"an address is longer than {MAX_URI} characters")
    return whole
