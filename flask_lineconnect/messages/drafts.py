"""Messages as owners write them: data with wordings, which become LINE's messages for one reader.

Each draft can be checked before anything runs: every value that it names, and LINE's limits with
the longest values at hand. How values are written: ``wording.py``; read from data:
``draft_data.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import TypeAlias

from ..errors import InvalidMessage
from ..errors import UsageError
from ..shop.member_desk import Coupon
from ..shop.product_desk import Product
from .cards import MAX_CARDS
from .cards import CouponCard
from .cards import NoteCard
from .cards import ProductCards
from .cards import flex
from .draft_parts import LIFF
from .draft_parts import MAX_REPLY_LABEL
from .draft_parts import InvalidDraft
from .draft_parts import Tap
from .draft_parts import Words
from .draft_parts import absolute
from .draft_parts import address
from .limits import MAX_QUICK_REPLIES
from .limits import check_messages
from .objects import JsonObject
from .places import Places
from .word_filters import Manner
from .wording import Variables
from .wording import longest


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
        return flex(self.alt_text.render(values, manner), _whole(contents, manner))


@dataclass(frozen=True, slots=True)
class ImageDraft:
    """A picture.

    :ivar url: of a JPEG or PNG file of at most 1 MB, which is what LINE takes of previews.
    """

    url: Words

    def render(self, values: Mapping[str, Any], manner: Manner) -> JsonObject:
        """Return LINE's message.

        :raises InvalidMessage: it is no https:// address.
        """
        url = address(self.url, values, manner)
        return {"type": "image", "originalContentUrl": url, "previewImageUrl": url}


def _whole(node: Any, manner: Manner) -> Any:
    """Return contents whose addresses are whole, also those of the shop's and of pages in LINE.

    :raises InvalidMessage: one is no https:// address.
    """
    if isinstance(node, list):
        return [_whole(one, manner) for one in node]
    if not isinstance(node, dict):
        return node
    found = {name: _whole(value, manner) for name, value in node.items()}
    for name in ("uri", "url"):
        text = found.get(name)
        if isinstance(text, str) and text.startswith(("/", LIFF)):
            found[name] = absolute(text, manner)
    return found


Body: TypeAlias = TextDraft | FlexDraft | ImageDraft | NoteCard | ProductCards | CouponCard


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
    for _language, _message in specimens(
        draft, variables, languages=languages, manner=manner, at_hand=at_hand, place=place
    ):
        pass


def specimens(
    draft: Draft,
    variables: Variables,
    *,
    languages: Sequence[str] = ("ja",),
    manner: Manner | None = None,
    at_hand: Iterable[Mapping[str, Any]] = (),
    place: str = "message",
) -> Iterator[tuple[str, JsonObject]]:
    """Return the message with the longest values at hand, in each language; see :func:`check`.

    :raises InvalidDraft: it can't be sent; names the language.
    """
    values = longest(variables, at_hand) | _samples(draft.body)
    for language in languages:
        read = replace(manner or Manner(base_url="https://shop.example"), language=language)
        try:
            message = draft.render(values, read)
        except UsageError as error:
            raise InvalidDraft(str(error), place=f"{place} ({language})") from None
        yield language, message


def _samples(body: Body) -> dict[str, Any]:
    """Return the longest cards: what the shop hands over is known only when it is sent."""
    name, picture = "あ" * 60, "https://shop.example/" + "a" * 100
    if isinstance(body, ProductCards):
        product = Product("p", name, picture, picture, 9_999_999, note="あ" * 40, was=9_999_999)
        return {body.products: [product] * MAX_CARDS}
    if isinstance(body, CouponCard):
        return {body.coupon: Coupon("c", name, "あ" * 200)}
    return {}
