"""Products and coupons in owners' messages, asked of the shop's desks for many runs at once."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from flask_babel import get_locale

from flask_lineconnect import Coupon
from flask_lineconnect import Fact
from flask_lineconnect import Favourite
from flask_lineconnect import InvalidMessage
from flask_lineconnect import MemberDesk
from flask_lineconnect import Product
from flask_lineconnect import ProductDesk
from flask_lineconnect import UsageError
from flask_lineconnect.marketing.event_kinds import EventKind
from flask_lineconnect.marketing.event_kinds import EventKinds
from flask_lineconnect.marketing.scenarios.cards import CardWish
from flask_lineconnect.marketing.scenarios.cards import card_values
from flask_lineconnect.marketing.scenarios.cards import manner_for
from flask_lineconnect.marketing.scenarios.checking import World
from flask_lineconnect.marketing.scenarios.checking import check_scenario
from flask_lineconnect.marketing.scenarios.checking import facts_at_hand
from flask_lineconnect.marketing.scenarios.declared import Scenarios
from flask_lineconnect.marketing.scenarios.reading import read_scenario
from flask_lineconnect.messages.draft_data import Known
from flask_lineconnect.messages.draft_data import read_drafts
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.small_shop import User
from tests.small_shop import line as extension

SINCE = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
KIND = EventKind(
    "cart.changed",
    "カート",
    {"products": Fact(list[str], "商品", holds="products"), "count": Fact(int, "点数")},
    home="shop",
)
CARDS = {"products": "bestsellers", "alt_text": "おすすめ", "button": "見る"}


class Products(ProductDesk[User]):
    """Two products, of which one is sold out, and one list."""

    lists = {"bestsellers": "よく売れている商品"}  # noqa: RUF012  # as shops write it

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def find(self, keys: Sequence[str]) -> Sequence[Product]:
        """Return what is there, in the language that is spoken."""
        self.asked.append(list(keys))
        name = "Sencha" if str(get_locale()) == "en" else "煎茶"
        return [Product("sencha", name, "/products/sencha", price=1296)] if "sencha" in keys else []

    def listed(self, name: str, members: Mapping[Any, datetime]) -> Mapping[Any, Sequence[Product]]:
        """Return one product for everybody but the last one."""
        self.asked.append((name, dict(members)))
        product = Product("pot", "急須", "/products/pot", price=5400, was=6000)
        return {member_id: [product] for member_id in list(members)[:-1]}


class Membership(MemberDesk[User]):
    """One usable coupon, one used, and a favourite."""

    def coupons(self, member: User) -> Sequence[Coupon]:
        """Return both."""
        return [Coupon("gift", "お茶 300円引き", is_usable=True), Coupon("old", "使用済み")]

    def coupons_for_messages(self) -> Mapping[str, Any]:
        """Name both."""
        return {"gift": "お茶", "old": "前の"}

    def favourites(self, member: User) -> Sequence[Favourite]:
        """Return the member's own."""
        return [Favourite("f", f"{member.name}の茶碗")]


@pytest.fixture
def desk(line: LineState, monkeypatch: pytest.MonkeyPatch) -> Products:
    """Return the desk of products, which the shop has from now on."""
    desk = Products()
    monkeypatch.setattr(extension.shop, "products", desk)
    monkeypatch.setattr(extension.shop, "membership", Membership())
    line.part(EventKinds).add(KIND)
    return desk


def wish(member: User, *messages: Any, products: Sequence[str] = (), language: str = "ja") -> Any:
    known = Known(KIND.types, ["bestsellers", "products", "favourites"], ["gift", "old"])
    drafts = read_drafts(list(messages), known)
    facts = {"products": tuple(products), "count": len(products)}
    names = KIND.product_facts
    return CardWish(member, member.id, drafts, facts, names, SINCE, language=language)


def rendered(line: LineState, one: CardWish) -> list[Any]:
    [values] = card_values(line, [one])
    manner = manner_for(line, one.language)
    return [draft.render({**one.facts, **values}, manner) for draft in one.drafts]


def test_texts_say_the_names_of_products_and_cards_show_them(
    line: LineState, desk: Products
) -> None:
    member = add_member(line)
    text = "カートに{{ products|first }}が入っています。"
    cards = {**CARDS, "products": "products"}
    found = rendered(line, wish(member, text, cards, products=["gone", "sencha"]))
    assert found[0]["text"] == "カートに煎茶が入っています。"
    body = found[1]["contents"]["body"]["contents"]
    assert [part["text"] for part in body] == ["煎茶", "1,296円"]
    address = found[1]["contents"]["footer"]["contents"][0]["action"]["uri"]
    assert address == f"{line.config.base_url}/products/sencha"
    english = rendered(line, wish(member, text, products=["sencha"], language="en"))
    assert "Sencha" in english[0]["text"]


def test_what_is_sold_out_is_in_no_message(line: LineState, desk: Products) -> None:
    member = add_member(line)
    with pytest.raises(InvalidMessage, match="no product"):
        rendered(line, wish(member, {**CARDS, "products": "products"}, products=["gone"]))
    with pytest.raises(UsageError, match="absent"):
        rendered(line, wish(member, "{{ products|first }}", products=["gone"]))


def test_a_list_is_asked_once_for_all(line: LineState, desk: Products) -> None:
    members = [add_member(line, name) for name in ("一", "二", "三")]
    found = card_values(line, [wish(one, CARDS) for one in members])
    assert desk.asked == [("bestsellers", dict.fromkeys((one.id for one in members), SINCE))]
    assert [len(values["bestsellers"]) for values in found] == [1, 1, 0]


def test_the_price_before_is_struck_through(line: LineState, desk: Products) -> None:
    first, second = add_member(line, "一"), add_member(line, "二")
    [values, _rest] = card_values(line, [wish(first, CARDS), wish(second, CARDS)])
    [draft] = wish(first, CARDS).drafts
    parts = draft.render(values, manner_for(line, "ja"))["contents"]["body"]["contents"]
    assert [part["text"] for part in parts] == ["急須", "5,400円", "6,000円"]
    assert parts[2]["decoration"] == "line-through"


def test_coupons_and_favourites_are_the_members_own(line: LineState, desk: Products) -> None:
    member = add_member(line, "花子")
    button = {"label": "使う", "url": "liff:/membership/coupons"}
    coupon = {"coupon": "gift", "alt_text": "クーポン", "button": button}
    favourites = {**CARDS, "products": "favourites"}
    found = rendered(line, wish(member, coupon, favourites))
    assert "お茶 300円引き" in str(found[0])
    assert f"{line.liff_url('/membership/coupons')}" in str(found[0])
    assert "花子の茶碗" in str(found[1])
    with pytest.raises(InvalidMessage, match="old is no coupon"):
        rendered(line, wish(member, {**coupon, "coupon": "old"}))


def test_a_shop_below_a_path_is_not_there_twice(
    line: LineState, desk: Products, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``url_for`` makes has the path already; what an owner writes begins at the shop."""
    product = Product("p", "煎茶", "/shop/products/p", "/shop/p.png")
    [draft] = wish(add_member(line), {**CARDS, "products": "products"}).drafts
    manner = manner_for(line, "ja")
    object.__setattr__(manner, "base_url", "https://shop.example/shop")
    card = draft.render({"products": product}, manner)["contents"]
    assert card["hero"]["url"] == "https://shop.example/shop/p.png"
    assert card["footer"]["contents"][0]["action"]["uri"].endswith("example/shop/products/p")


def test_scenarios_are_checked_against_what_the_shop_offers(
    line: LineState, desk: Products
) -> None:
    world = World.of(line)
    assert set(world.products) == {"bestsellers", "favourites"}
    assert set(world.coupons) == {"gift", "old"}
    cards = [{**CARDS, "products": name} for name in ("products", "bestsellers", "bestsellrs")]
    for message, problem in zip(cards, ("", "", "Did you mean bestsellers"), strict=True):
        steps = [{"name": "one", "message": message}]
        words = {"label": "x", "key": "member", "again": "never", "category": "cart"}
        scenario = read_scenario("cart", {**words, "starts_on": "cart.changed", "steps": steps})
        problems = check_scenario(scenario, world).problems
        assert (problem in str(problems[0])) if problem else not problems


def test_lengths_are_judged_by_names_and_not_by_keys(line: LineState, desk: Products) -> None:
    member = add_member(line)
    extension.emit("cart.changed", member, products=["sencha", "gone"], count=2)
    scenario = read_scenario(
        "cart",
        {
            **{"label": "x", "key": "member", "again": "never", "category": "cart"},
            "starts_on": "cart.changed",
            "steps": [{"name": "one", "message": "x"}],
        },
    )
    line.part(Scenarios).add(scenario)
    [facts] = facts_at_hand(line, scenario)
    assert [str(one) for one in facts["products"]] == ["煎茶"]


@pytest.mark.parametrize("fact", [Fact(int, "数", holds="products"), Fact(str, "", holds="x")])  # type: ignore[arg-type]
def test_only_texts_hold_products(fact: Fact) -> None:
    with pytest.raises(UsageError, match="can't hold"):
        EventKind("cart.changed", "カート", {"product": fact})
