"""Members, when they came to the shop and to LINE, and who blocked it."""

from __future__ import annotations

from datetime import date
from datetime import datetime
from datetime import timedelta

from ..members import new_card_number
from ..seed import FAMILY
from ..seed import GIVEN
from ..seed import TOWNS
from .told import EVENTS
from .told import Person
from .told import Told

# fmt: off
MORE_FAMILY = (
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "山口", "橋本", "石川", "前田",
    "藤田", "後藤", "岡田", "長谷川", "村上", "近藤", "石井", "坂本", "遠藤",
    "青木", "藤井", "西村", "福田", "太田", "三浦", "岡本", "中島", "小川",
    "原田", "竹内", "和田", "中山", "上田", "森田", "大西", "北川", "久保",
)
MORE_GIVEN = (
    "さくら", "花", "美月", "千尋", "奈々", "智子", "裕子", "由美", "明美",
    "京子", "文香", "詩織", "菜摘", "桃子", "優斗", "拓也", "和也", "隆",
    "浩二", "茂", "蓮", "湊", "颯", "隼人",
)
# fmt: on
#: Where members found the way to LINE, and how many of a hundred by each.
SOURCES = {"レジ横": 38, "shelf-3": 9, "茶席": 14, "同梱カード": 21, "イベント": 5, None: 13}
#: Of a hundred members so many are linked in the end, and of those so many block sooner or later.
LINKED, BLOCKING = 66, 14
#: How long members of before take to link, and those who block are there, on the average.
MEAN_WAIT, MEAN_STAY = timedelta(days=260), timedelta(days=200)
#: Friends on LINE who are no members.
STRANGERS = 0.08


def make_people(told: Told, members: int) -> None:
    """Make the members, the first of whom were there before LINE was."""
    for number in range(members):
        person = _person(told, number)
        if told.chance.randrange(100) < LINKED + (12 if person.eagerness > 3 else 0):
            _link(told, person)
        told.people.append(person)


def _person(told: Told, number: int) -> Person:
    chance = told.chance
    postal_code, town = chance.choice(TOWNS)
    # Ever more come; half of them were there before LINE was.
    age = timedelta(days=2_400 * (1 - chance.random() ** 0.5))
    joined_at = told.moment(told.now - age - timedelta(days=1), told.now - age)
    person = Person(
        id=told.rows.new_id("user"),
        name=f"{chance.choice(FAMILY + MORE_FAMILY)} {chance.choice(GIVEN + MORE_GIVEN)}",
        postal_code=postal_code,
        address=town.format(f"{chance.randint(1, 30)}-{chance.randint(1, 20)}"),
        phone=f"0801{number:07d}",
        joined_at=joined_at,
        # A few buy often, most seldom.
        eagerness=min(chance.lognormvariate(-0.15, 1.0), 14),
        born_on=_birthday(told) if chance.random() < 0.55 else None,
    )
    told.rows.add(
        "user",
        id=person.id,
        email=f"kyaku{number:05d}@komorebi.example",
        name=person.name,
        phone=person.phone,
        postal_code=postal_code,
        address=person.address,
        card_number=new_card_number(twelve=f"28{number:010d}"),
        is_staff=False,
        is_locked=False,
        born_on=person.born_on,
        created_at=joined_at,
        # Both are told by the bookings; see ``buying.py``.
        point_balance=0,
        rank="regular",
    )
    return person


def _birthday(told: Told) -> date:
    return date(1946, 1, 1) + timedelta(days=told.chance.randrange(60 * 365))


def _link(told: Told, person: Person) -> None:
    """Say when a member is joined to LINE, where, and whether they block it by themselves."""
    chance = told.chance
    first = max(person.joined_at, told.began_at)
    # Who is new links at once, who was there before when the card is next shown.
    is_new = person.joined_at > told.began_at and chance.random() < 0.7
    wait = timedelta(minutes=3) if is_new else _wait(told, MEAN_WAIT)
    if first + wait > told.now:
        return
    person.linked_at = first + wait
    person.source = chance.choices(list(SOURCES), list(SOURCES.values()))[0]
    person.account_id = told.rows.new_line_id("account")
    blocked_at = person.linked_at + _wait(told, MEAN_STAY)
    if chance.randrange(100) < BLOCKING and blocked_at < told.now:
        person.blocked_at = blocked_at
    told.event("line.linked", person, person.linked_at, source=person.source)


def _wait(told: Told, mean: timedelta) -> timedelta:
    """Return how long something takes that may happen on any day."""
    return mean * told.chance.expovariate(1)


def join_line(told: Told) -> None:
    """Write the accounts: of members, once it is known who blocked, and of mere friends."""
    for person in told.people:
        if person.linked_at is not None:
            _account(told, person.account_id, person.linked_at, person)
            _note_link(told, person)
            if person.blocked_at is not None:
                told.event("line.unfollowed", person, person.blocked_at)
                _count_block(told, person, person.blocked_at)
    for _number in range(int(len(told.people) * STRANGERS)):
        _account(told, told.rows.new_line_id("account"), told.moment(told.began_at, told.now))
    for label in SOURCES:
        if label is not None:
            told.rows.add_line("source_label", label=label, created_at=told.began_at)


def _account(told: Told, key: int | None, at: datetime, person: Person | None = None) -> None:
    """Write an account; of nobody that the shop knows unless it is a person's."""
    blocked_at = person and person.blocked_at
    told.rows.add_line(
        "account",
        id=key,
        line_user_id=told.line_user_id(person),
        display_name=person.name.partition(" ")[2] if person else "",
        is_friend=blocked_at is None,
        friend_evidence_at=blocked_at or at,
        member_id=person and person.id,
        linked_at=at if person else None,
        link_source=person and person.source,
        consent_checked_at=told.now if person else None,
        session_generation=0,
        card_version=0,
        created_at=at,
    )


def _note_link(told: Told, person: Person) -> None:
    told.rows.add_line(
        "audit_entry",
        at=person.linked_at,
        action="linked",
        actor="member",
        account_id=person.account_id,
        member_key=str(person.id),
    )


def _count_block(told: Told, person: Person, blocked_at: datetime) -> None:
    """Count a block for the message that was the last one before it."""
    after = blocked_at - person.touched_at if person.touched_at else timedelta(days=8)
    is_kept, owner = told.now - blocked_at < EVENTS, person.touched_by
    for figure, days in (("blocks_week", 7), ("blocks_day", 1)):
        if after <= timedelta(days=days):
            told.counts.add(figure, blocked_at, is_kept=is_kept, **owner)
