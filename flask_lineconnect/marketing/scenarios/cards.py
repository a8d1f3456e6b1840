"""What messages show of the shop's products and coupons, asked of its desks when they are sent.

Many runs are asked for at once: the desk of products answers one question for each list and
language, however many members there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import tzinfo
from typing import Any
from typing import TypeVar

from ...i18n import speaking
from ...messages.cards import CouponCard
from ...messages.cards import ProductCards
from ...messages.drafts import Draft
from ...messages.word_filters import Manner
from ...shop.member_desk import MemberDesk
from ...shop.product_desk import Product
from ...state import LineState

T = TypeVar("T")
#: The member's own list, of the desk of membership, unless the desk of products has one.
FAVOURITES = "favourites"
#: Keys, or members, of one question.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class CardWish:
    """One member's messages, and what they may be made of.

    :ivar member: the shop's row.
    :ivar facts: of the event with which the run began, by name.
    :ivar product_facts: names of those that hold keys of products.
    :ivar since: when the run began, aware.
    """

    member: Any
    member_id: Any
    drafts: Sequence[Draft]
    facts: Mapping[str, Any]
    product_facts: Collection[str]
    since: datetime
    language: str = "ja"


def card_values(line: LineState, wishes: Sequence[CardWish]) -> list[dict[str, Any]]:
    """Return what the drafts of each wish show of products and coupons, in the same order.

    They stand in for facts of the same name. What there is not is left out, and the message that
    needs it can't be made.
    """
    found: list[dict[str, Any]] = [{} for _wish in wishes]
    by_language: dict[str, list[int]] = defaultdict(list)
    for number, wish in enumerate(wishes):
        by_language[wish.language].append(number)
    for language, numbers in by_language.items():
        with speaking(language):
            some = [(wishes[number], found[number]) for number in numbers]
            _add_facts(line, some)
            _add_lists(line, some)
            for wish, values in some:
                values |= _coupons(line, wish)
    return found


def product_lists(line: LineState) -> set[str]:
    """Return the names of the lists of products that messages may show."""
    lists = set(line.shop.products.lists)
    keeps_favourites = type(line.shop.membership).favourites is not MemberDesk.favourites
    return lists | {FAVOURITES} if keeps_favourites else lists


def coupon_names(line: LineState) -> set[str]:
    """Return the keys of the coupons that messages may show."""
    return set(line.shop.membership.coupons_for_messages())


def find_products(line: LineState, keys: Collection[str]) -> dict[str, Product]:
    """Return the products of these keys that can be bought now."""
    return {
        product.key: product
        for some in _portions(sorted(set(keys)))
        for product in line.shop.products.find(some)
    }


def manner_for(line: LineState, language: str, zone: tzinfo | None = None) -> Manner:
    """Return how values are written for a member.

    :param zone: by whose clocks; the shop's by default.
    """
    return Manner(
        language=language,
        zone=zone or line.config.zone,
        base_url=line.config.base_url,
        liff_url=line.liff_url if line.config.liff_id else None,
    )


def _add_facts(line: LineState, some: Sequence[tuple[CardWish, dict[str, Any]]]) -> None:
    keys = {key for wish, _values in some for key in _keys_of(wish)}
    if not keys:
        return
    products = find_products(line, keys)
    for wish, values in some:
        for name in wish.product_facts:
            values[name] = shown(wish.facts.get(name), products)


def shown(fact: Any, products: Mapping[str, Product]) -> Any:
    """Return the products of a fact: one, several, or ``None`` where there is none."""
    if isinstance(fact, str):
        return products.get(fact)
    return tuple(products[key] for key in fact or () if key in products)


def _keys_of(wish: CardWish) -> Iterator[str]:
    for name in wish.product_facts:
        fact = wish.facts.get(name)
        yield from [fact] if isinstance(fact, str) else fact or ()


def _add_lists(line: LineState, some: Sequence[tuple[CardWish, dict[str, Any]]]) -> None:
    desk = line.shop.products
    wanted: dict[str, dict[Any, datetime]] = defaultdict(dict)
    for wish, values in some:
        for name in _lists_of(wish):
            if name in desk.lists:
                # Of two runs of one member's the earlier one knows more that is new.
                since = wanted[name].get(wish.member_id, wish.since)
                wanted[name][wish.member_id] = min(since, wish.since)
            elif name == FAVOURITES:
                values[name] = tuple(line.shop.membership.favourites(wish.member) or ())
    found = {name: _ask(line, name, members) for name, members in wanted.items()}
    for wish, values in some:
        for name in _lists_of(wish):
            if name in found:
                values[name] = tuple(found[name].get(wish.member_id, ()))


def _ask(
    line: LineState, name: str, members: Mapping[Any, datetime]
) -> dict[Any, Sequence[Product]]:
    found: dict[Any, Sequence[Product]] = {}
    for some in _portions(list(members.items())):
        found |= line.shop.products.listed(name, dict(some))
    return found


def _portions(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), AT_ONCE):
        yield all_of_them[start : start + AT_ONCE]


def _lists_of(wish: CardWish) -> list[str]:
    shown = (draft.body for draft in wish.drafts)
    names = [body.products for body in shown if isinstance(body, ProductCards)]
    return [name for name in names if name not in wish.product_facts]


def _coupons(line: LineState, wish: CardWish) -> dict[str, Any]:
    shown = (draft.body for draft in wish.drafts)
    names = {body.coupon for body in shown if isinstance(body, CouponCard)}
    if not names:
        return {}
    there = line.shop.membership.coupons(wish.member) or ()
    return {one.key: one for one in there if one.key in names and one.is_usable}
