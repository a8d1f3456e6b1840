"""What the demo shop answers in the chat, over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from demo_shop import create_app
from demo_shop.catalogue import CATALOGUE
from demo_shop.extensions import db
from demo_shop.line.extension import line as extension
from demo_shop.members import make_member
from demo_shop.models import Favourite
from demo_shop.models import Inquiry
from demo_shop.models import Order
from demo_shop.models import OrderLine
from demo_shop.models import Product
from demo_shop.models import User
from demo_shop.points import add_at_counter
from demo_shop.signals import order_placed
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.linking import accounts
from flask_lineconnect.messages.render import render_json
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from tests.small_shop import SETTINGS

BASE_URL = "http://127.0.0.1:5999"


@pytest.fixture
def app(tmp_path: Path, pictures: Path, line_emulator: Emulator) -> Iterator[Flask]:
    """Return the shop beside an emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    app = create_app(
        {
            **SETTINGS,
            **line_emulator.settings(BASE_URL),
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'shop.db'}",
            "PICTURES_FOLDER": str(pictures),
            "WTF_CSRF_ENABLED": False,
        }
    )
    with app.app_context():
        db.metadata.create_all(db.engine)
        db.session.add_all(
            Product(slug=f"tea-{n}", name=f"煎茶{n}", category="tea", price=500, stock=3,
                    description="")
            for n in range(3)
        )  # fmt: skip
        db.session.commit()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def member(app: Flask, user_id: str) -> User:
    """Return the member who is linked with the friend."""
    member = make_member(
        db.session(), email="a@b.example", name="佐藤 さくら", password="long enough"
    )
    assert member
    db.session.commit()
    line: LineState = current_app.extensions["lineconnect"]
    now = line.clock()
    account = accounts.ensure_account(db.session(), user_id, now=now)
    accounts.link(line, account, member.id, source="login", now=now)
    db.session.commit()
    return member


def _order(member: User, number: str, status: str = "received") -> Order:
    product = db.session.scalars(select(Product).limit(1)).one()
    order = Order(
        number=number, user=member, total=500, status=status, name="佐藤", postal_code="604-8005",
        address="京都", phone="075-000-0000", delivery_on=date(2026, 12, 24),
        lines=[OrderLine(product=product, quantity=1, price=500)],
    )  # fmt: skip
    db.session.add(order)
    db.session.commit()
    return order


def _choices(message: dict[str, Any]) -> list[str]:
    return [item["action"]["text"] for item in message["quickReply"]["items"]]


def test_the_state_of_orders_is_answered_without_a_question(chat: LineChat, member: User) -> None:
    assert chat.say("注文状況") == [{"type": "text", "text": "ご注文はまだありません。"}]
    _order(member, "K-1", "shipped")
    [message] = chat.say("注文状況")
    assert message["altText"] == "ご注文 K-1 は発送済みです"
    assert "配達日時の変更" not in str(message)
    _order(member, "K-2")
    assert "配達日時の変更" in str(chat.say("注文状況"))


def test_the_delivery_is_really_changed(chat: LineChat, member: User) -> None:
    first, second = _order(member, "K-1"), _order(member, "K-2", "preparing")
    _order(member, "K-3", "delivered")
    [which] = chat.say("配達日時の変更")
    assert _choices(which) == ["K-2", "K-1", "やめる"]
    [day] = chat.say("K-2")
    days = _choices(day)
    assert len(days) == 8
    assert _choices(chat.say("きのう")[0]) == days
    [slot] = chat.say(days[3])
    assert _choices(slot) == ["午前中", "14時から16時", "18時から20時", "やめる"]
    [done] = chat.say("14時から16時")
    assert done["text"] == f"ご注文 K-2 のお届けを、{days[3]} 14時から16時 に変更しました。"
    db.session.expire_all()
    assert second.delivery_on is not None
    assert f"{second.delivery_on.month}月{second.delivery_on.day}日" in days[3]
    assert second.delivery_slot == "14時から16時"
    assert (first.delivery_on, first.delivery_slot) == (date(2026, 12, 24), None)


def test_what_left_the_shop_meanwhile_is_not_changed(chat: LineChat, member: User) -> None:
    order = _order(member, "K-1")
    [day] = chat.say("配達日時の変更")
    chat.say(_choices(day)[0])
    order.status = "shipped"
    db.session.commit()
    [answer] = chat.say("午前中")
    assert "発送済み" in answer["text"]
    db.session.expire_all()
    assert (order.delivery_on, order.delivery_slot) == (date(2026, 12, 24), None)


def test_the_change_can_be_left(chat: LineChat, member: User) -> None:
    order = _order(member, "K-1")
    chat.say("配達日時の変更")
    assert chat.say("やめる")[0]["text"] == "変更をとりやめました。"
    assert "quickReply" in chat.say("やめる")[0]  # the help: no dialogue is open
    assert order.delivery_slot is None


def test_somebody_elses_order_is_not_offered(chat: LineChat, member: User) -> None:
    other = make_member(db.session(), email="c@d.example", name="山田", password="long enough")
    assert other
    _order(other, "K-9")
    assert "変更できるご注文がありません" in chat.say("配達日時の変更")[0]["text"]


def test_a_favourite_is_kept_once_by_its_button(chat: LineChat, member: User) -> None:
    assert chat.say("お気に入り")[0]["text"] == "お気に入りはまだありません。"
    [carousel] = chat.say("おすすめ")
    pictures = [card["hero"]["url"] for card in carousel["contents"]["contents"]]
    assert pictures == [f"{BASE_URL}/pictures/tea-{number}.png" for number in range(3)]
    data = carousel["contents"]["contents"][1]["footer"]["contents"][1]["action"]["data"]
    assert chat.tap(data)[0]["text"] == "煎茶1をお気に入りに登録しました。"
    assert chat.tap(data)[0]["text"] == "煎茶1は登録済みです。"
    assert chat.say("お気に入り")[0]["text"] == "お気に入り\n・煎茶1"
    assert [row.user_id for row in db.session.scalars(select(Favourite))] == [member.id]


def test_questions_are_answered_by_buttons(chat: LineChat) -> None:
    [buttons] = chat.say("よくある質問")
    actions = buttons["template"]["actions"]
    assert [action["type"] for action in actions] == ["postback"] * 4
    answers = [chat.tap(action["data"])[0]["text"] for action in actions]
    assert len(set(answers)) == 4


def test_staff_get_what_is_written_and_the_shop_falls_silent(
    app: Flask, chat: LineChat, member: User
) -> None:
    assert "ご用件" in chat.say("スタッフに相談")[0]["text"]
    assert "伝えました" in chat.say("急須の蓋を割りました")[0]["text"]
    assert chat.say("残高") == []
    assert chat.say("自動応答にもどる")[0]["text"] == "自動応答にもどりました。"
    assert "ポイント残高は" in chat.say("残高")[0]["text"]
    kept = db.session.scalars(select(Inquiry).order_by(Inquiry.id)).all()
    assert [(inquiry.name, inquiry.text) for inquiry in kept] == [
        ("佐藤 さくら", "急須の蓋を割りました"),
        ("佐藤 さくら", "残高"),
    ]


@pytest.mark.parametrize(
    "text", ["ご注文 K-2611-000119 について", "ご注文 K-1 について、いつ届きますか"]
)
def test_a_question_about_an_order_reaches_the_staff_with_its_number(
    app: Flask, chat: LineChat, member: User, text: str
) -> None:
    assert "ご用件をお書きください" in chat.say(text)[0]["text"]
    assert "伝えました" in chat.say("箱がつぶれていました")[0]["text"]
    assert chat.say("残高") == []
    first = db.session.scalars(select(Inquiry).order_by(Inquiry.id)).first()
    assert first
    assert (first.name, first.text) == ("佐藤 さくら", text)


#: What a reader of English can't read.
JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
TYPED = (
    "Point balance",
    "Order status",
    "Recommendations",
    "Favourites",
    "Common questions",
    "anything else",
    "Ask our staff",
    "I broke a lid",
    "Automatic answers",
    "About order K-2611-000119",
    "Automatic answers",
)


def test_who_chose_english_reads_nothing_else_in_the_chat(chat: LineChat, member: User) -> None:
    member.name = "Sakura Sato"
    for number, product in enumerate(db.session.scalars(select(Product)).all()):
        product.name, product.description = CATALOGUE[number].name, CATALOGUE[number].description
    _choose_english(member)
    _order(member, "K-1").address = "12-8 Ebisu-cho"
    heard = [
        *chat.send({"type": "follow", "follow": {"isUnblocked": False}}),
        *[answer for text in TYPED for answer in chat.say(text)],
        *_tap_everything(chat),
        *_change_delivery(chat),
    ]
    assert len(heard) > 20
    for message in heard:
        assert not JAPANESE.search(_seen(message)), _seen(message)


def test_messages_that_nobody_asked_for_are_english_too(
    app: Flask, chat: LineChat, member: User
) -> None:
    _choose_english(member)
    member.name = "Sakura Sato"
    product = db.session.scalars(select(Product).limit(1)).one()
    product.name = CATALOGUE[0].name
    extension.scenarios.publish("points_added")
    extension.scenarios.publish("order_confirmed")
    db.session.commit()
    with app.test_request_context():
        # Staff read Japanese.
        add_at_counter(db.session(), member, 12_000, key="first")
        order = _order(member, "K-1")
        order_placed.send(None, order=order)
        db.session.commit()
    line: LineState = app.extensions["lineconnect"]
    while sum(do(line) for do in SCHEDULE):
        pass
    rows = db.session.scalars(select(OutboxMessage)).all()
    told = [message for row in rows for message in json.loads(row.messages)]
    assert len(told) == 2
    for message in told:
        assert not JAPANESE.search(_seen(message)), _seen(message)


def test_the_rich_menu_fits_lines_limits_in_both_languages(app: Flask) -> None:
    for language in ("ja", "en"):
        with force_locale(language):
            menu = render_json("line/rich_menu.json")
        assert len(menu["chatBarText"]) <= 14
        assert (language == "ja") == bool(JAPANESE.search(json.dumps(menu, ensure_ascii=False)))


def _choose_english(member: User) -> None:
    account = accounts.account_of(db.session(), member.id)
    assert account
    account.language = "en"
    db.session.commit()


def _tap_everything(chat: LineChat) -> list[dict[str, Any]]:
    """Tap what answers carry: the questions, and what keeps a favourite."""
    questions = chat.say("FAQ")[0]["template"]["actions"]
    [carousel] = chat.say("おすすめ")
    cards = carousel["contents"]["contents"]
    keep = cards[0]["footer"]["contents"][1]["action"]
    return [answer for tapped in [*questions, keep, keep] for answer in chat.tap(tapped["data"])]


def _change_delivery(chat: LineChat) -> list[dict[str, Any]]:
    heard = chat.say("Change delivery")
    heard += chat.say(_choices(heard[-1])[1])
    return heard + chat.say(_choices(heard[-1])[1])


def _seen(message: dict[str, Any]) -> str:
    """Return what a person can read of a message: no data, no addresses."""
    unseen = {"data", "uri", "url"}

    def texts(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [
                text for key, value in part.items() if key not in unseen for text in texts(value)
            ]
        if isinstance(part, list):
            return [text for value in part for text in texts(value)]
        return [part] if isinstance(part, str) else []

    return "\n".join(texts(message))
