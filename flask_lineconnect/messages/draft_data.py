"""Reads drafts of messages from what Python, JSON or TOML wrote; every refusal names the place.

::

    message = "{{ name }}様、ご注文ありがとうございます。"

    [steps.message]
    text = {ja = "{{ name }}様", en = "Dear {{ name }}"}
    quick_replies = [{label = "残高", text = "ポイント残高"}, {label = "カート", url = "/cart"}]

    [steps.message]
    text = "ご注文の品を発送しました。"
    button = {label = "配送状況を見る", url = "/orders/{{ number }}"}

    [steps.message]
    flex = '''{"type": "bubble", "body": …, {{ name }} …}'''
    alt_text = "ご注文の品を発送しました"

    [steps.message]
    products = "favourites"
    alt_text = "お気に入りが再入荷しました"
    button = "商品を見る"

    [steps.message]
    coupon = "birthday_coupon"
    alt_text = "お誕生日おめでとうございます"
    button = {label = "クーポンを見る", url = "/coupons"}

    [steps.message]
    image = "/static/autumn.jpg"
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from ..marketing.values import ValueType
from .cards import CouponCard
from .cards import NoteCard
from .cards import ProductCards
from .draft_parts import InvalidDraft
from .draft_parts import Tap
from .draft_parts import Words
from .drafts import Body
from .drafts import Draft
from .drafts import FlexDraft
from .drafts import ImageDraft
from .drafts import TextDraft
from .limits import MAX_MESSAGES
from .limits import MAX_QUICK_REPLIES

#: What a draft is, and what each needs beside it.
_KINDS = {
    "text": (),
    "flex": ("alt_text",),
    "products": ("alt_text", "button"),
    "coupon": ("alt_text", "button"),
    "image": (),
}
_WORDS = (*_KINDS, "alt_text", "button", "quick_replies")


@dataclass(frozen=True, slots=True)
class Known:
    """What a message may name.

    :ivar variables: values by name.
    :ivar products: names of lists of products.
    :ivar coupons: names of coupons.
    """

    variables: Mapping[str, ValueType] = field(default_factory=dict)
    products: Collection[str] = ()
    coupons: Collection[str] = ()


def read_drafts(data: object, known: Known, place: str = "message") -> tuple[Draft, ...]:
    """Read one draft, or a list of up to five.

    :raises InvalidDraft: one can't be used; names the place.
    """
    if not isinstance(data, list | tuple):
        return (read_draft(data, known, place),)
    if not 1 <= len(data) <= MAX_MESSAGES:
        raise InvalidDraft(f"1 to {MAX_MESSAGES} messages are sent at once", place=place)
    return tuple(read_draft(one, known, f"{place}[{number}]") for number, one in enumerate(data))


def read_draft(data: object, known: Known, place: str = "message") -> Draft:
    """Read one draft.

    :raises InvalidDraft: it can't be used; names the place.
    """
    if isinstance(data, str):
        return Draft(TextDraft(Words.read(data, known.variables, place)))
    rest = dict(_mapping(data, place))
    kinds = [kind for kind in _KINDS if kind in rest]
    if len(kinds) != 1:
        raise InvalidDraft(f"exactly one of {', '.join(_KINDS)} is needed", place=place)
    replies = rest.pop("quick_replies", ())
    body = _body(kinds[0], rest, known, place)
    for name in rest:
        near = difflib.get_close_matches(name, _WORDS, n=1)
        mean = f". Did you mean {near[0]}" if near and near[0] != name else ""
        raise InvalidDraft(f"{name!r} is not for a message with {kinds[0]}{mean}", place=place)
    return Draft(body, _replies(replies, known, f"{place}.quick_replies"))


def _body(kind: str, rest: dict[str, Any], known: Known, place: str) -> Body:
    said = rest.pop(kind)
    for name in _KINDS[kind]:
        if name not in rest:
            raise InvalidDraft(f"a message with {kind} needs {name}", place=place)
    if kind == "text":
        words = _words(said, known, f"{place}.text")
        if "button" not in rest:
            return TextDraft(words)
        return NoteCard(words, _tap(rest.pop("button"), known, f"{place}.button"))
    if kind == "image":
        return ImageDraft(_words(said, known, f"{place}.image"))
    alt_text = _words(rest.pop("alt_text"), known, f"{place}.alt_text")
    if kind == "flex":
        return FlexDraft(alt_text, _words(said, known, f"{place}.flex"))
    button, where = rest.pop("button"), f"{place}.button"
    if kind == "products":
        _check_name(said, known.products, f"{place}.products")
        return ProductCards(said, alt_text, _words(button, known, where))
    _check_name(said, known.coupons, f"{place}.coupon")
    return CouponCard(said, alt_text, _tap(button, known, where))


def _replies(data: object, known: Known, place: str) -> tuple[Tap, ...]:
    if not isinstance(data, list | tuple):
        raise InvalidDraft("a list is needed", place=place)
    if len(data) > MAX_QUICK_REPLIES:
        raise InvalidDraft(f"LINE shows at most {MAX_QUICK_REPLIES} quick replies", place=place)
    return tuple(_tap(one, known, f"{place}[{number}]") for number, one in enumerate(data))


def _tap(data: object, known: Known, place: str) -> Tap:
    rest = dict(_mapping(data, place))
    if "label" not in rest or ("url" in rest) == ("text" in rest):
        raise InvalidDraft("a label is needed, and either url or text", place=place)
    parts = {
        name: _words(rest.pop(name), known, f"{place}.{name}")
        for name in ("label", "url", "text")
        if name in rest
    }
    for name in rest:
        raise InvalidDraft(f"{name!r} is not for a button", place=place)
    return Tap(parts["label"], parts.get("url"), parts.get("text"))


def _words(data: object, known: Known, place: str) -> Words:
    return Words.read(_texts(data, place), known.variables, place)


def _texts(data: object, place: str) -> Any:
    if not isinstance(data, str | Mapping):
        raise InvalidDraft("a text is needed, or one for each language", place=place)
    return data


def _mapping(data: object, place: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidDraft("a text or a table is needed", place=place)
    return data


def _check_name(said: object, known: Collection[str], place: str) -> None:
    if said not in known:
        near = difflib.get_close_matches(str(said), list(known), n=1)
        mean = f". Did you mean {near[0]}" if near else ""
        there = ", ".join(known) or "none"
        raise InvalidDraft(f"there is no {said!r} here{mean}; there are {there}", place=place)
