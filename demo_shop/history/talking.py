"""What members asked in the chat, what they like, and what the owner did in the console."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Product
from ..models import User
from .told import Person
from .told import Told

#: Asked lately and answered by nobody yet.
OPEN = (
    ("先日いただいたお茶、今週中に届きますか？ 土曜に来客があります。", 2),
    ("豆大福は、日曜でも買えますか？", 4),
    ("急須のふたを割ってしまいました。ふただけ買えますか？", 7),
    ("領収書の宛名を会社名にしていただけますか。", 21),
    ("贈りものに、のしを付けられますか？", 26),
)
ANSWERED = (
    "営業時間を教えてください。",
    "玉露の淹れ方がわかりません。",
    "茶席は何名から予約できますか？",
    "ポイントはいつまで使えますか。",
)
#: What staff did in the console, days ago.
DEEDS = (
    ("segment-saved", "segment:gifts_in_december", 58),
    ("campaign-paused", "campaign:chestnuts", 54),
    ("campaign-resumed", "campaign:chestnuts", 54),
    ("exported", "people", 31),
    ("scenario-paused", "scenario:near_next_rank", 20),
    ("scenario-resumed", "scenario:near_next_rank", 19),
    ("qr-made", "qr:イベント", 12),
    ("exported", "audit", 3),
)
#: Messages that staff wrote beforehand: name, label, words, and whether to answer with.
SAVED = (
    ("hours", "営業時間のご案内", "10時から18時まで営業しております。火曜はお休みです。", True),
    ("new_sweets", "季節のお菓子", "季節のお菓子が焼き上がりました。", False),
)
GIFTS = {
    "all": [
        {"attribute": "categories_bought", "any_of": ["gift"]},
        {"attribute": "order_count", "at_least": 2},
    ]
}


def talk(told: Told, session: Session) -> None:
    """Write questions, favourites and the owner's deeds."""
    reached = [one for one in told.people if one.is_reached(told.now)]
    for number, (text, hours) in enumerate(OPEN):
        _ask(told, told.chance.choice(reached), text, hours, number, is_answered=False)
    for number in range(24):
        text = told.chance.choice(ANSWERED)
        hours = 24 * (1 + number * 2)
        _ask(told, told.chance.choice(reached), text, hours, 100 + number, is_answered=True)
    _like(told, session)
    staff = session.scalar(select(User.id).where(User.is_staff))
    for action, subject, days in DEEDS:
        told.rows.add_line(
            "audit_entry",
            at=told.now - timedelta(days=days),
            action=action,
            actor="shop",
            staff=str(staff),
            subject=subject,
        )
    for name, label, words, is_phrase in SAVED:
        told.rows.add_line(
            "saved_message",
            name=name,
            label=label,
            version=1,
            message=json.dumps({"text": words}, ensure_ascii=False),
            is_phrase=is_phrase,
            updated_at=told.now - timedelta(days=40),
            updated_by=str(staff),
        )
    told.rows.add_line(
        "segment",
        name="gifts_in_december",
        version=1,
        label="贈りものを買ったことがある・2回以上",
        rule=GIFTS,
        saved_at=told.now - timedelta(days=58),
    )


def _ask(
    told: Told, person: Person, text: str, hours: int, number: int, *, is_answered: bool
) -> None:
    at = told.now - timedelta(hours=hours, minutes=told.chance.randrange(60))
    told.rows.add(
        "inquiry", user_id=person.id, name=person.name, text=text, at=at, is_answered=is_answered
    )
    if hours < 24 * 7:
        told.rows.add_line(
            "inbox_event",
            webhook_event_id=f"history{number:019d}",
            line_user_id=told.line_user_id(person),
            payload=json.dumps({"message": {"type": "text", "text": text}}, ensure_ascii=False),
            state="done",
            attempts=1,
            claims=1,
            reply_attempts=0,
            is_token_used=False,
            occurred_at=at,
            received_at=at,
            finished_at=at,
        )
    if is_answered:
        told.message(
            person,
            at + timedelta(minutes=35),
            "account",
            "お問い合わせありがとうございます。くわしくは店頭でもご案内しております。",
            dedupe_key=f"console:history:{number}",
        )


def _like(told: Told, session: Session) -> None:
    products = session.scalars(select(Product.id).order_by(Product.id)).all()
    for person in told.people:
        if person.eagerness > 2:
            for product in sorted(told.chance.sample(list(products), told.chance.randrange(3))):
                at = told.moment(max(person.joined_at, told.began_at), told.now)
                told.rows.add("favourite", user_id=person.id, product_id=product, at=at)
