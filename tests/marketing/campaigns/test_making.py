"""Messages that differ are written a portion at a time: whoever dies, each is written once."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.marketing.campaigns import making
from flask_lineconnect.marketing.links.tracking import read_address
from flask_lineconnect.marketing.scenarios.published import Definitions
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import TrackedLink
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES
from tests.marketing.campaigns.conftest import Begin
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


class Killed(BaseException):
    """A process that is no more."""


@contextmanager
def dying_before(number: int) -> Iterator[None]:
    """Let the process die before the so-manieth statement, and whatever it did be rolled back."""
    seen = 0

    def count(*_arguments: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


@pytest.fixture
def make(line: LineState) -> Callable[[], None]:
    """Return what writes all that is due."""

    def make() -> None:
        while making.make_due(line):
            pass
        line.session.rollback()

    return make


def _written(line: LineState) -> list[int]:
    line.session.rollback()
    return list(
        line.session.scalars(select(OutboxMessage.account_id).order_by(OutboxMessage.account_id))
    )


def test_whenever_it_dies_each_message_is_written_once(
    line: LineState,
    join: Join,
    begin: Begin,
    make: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "PORTION", 3)
    join(7)
    button = {"label": "見る", "url": "https://shop.example/teas?of={{ number }}"}
    begin(message={"text": "{{ number }}番", "button": button}, tracked="personal")
    deaths = 0
    for number in range(1, 60):
        with dying_before(number):
            try:
                make()
                break
            except Killed:
                deaths += 1
                db.session.remove()
    assert deaths > 5
    assert len(_written(line)) == 7
    assert len(set(_written(line))) == 7
    campaign = line.session.scalars(select(Campaign)).one()
    assert (campaign.recipients, campaign.next_at) == (7, None)
    targets = {link.id: link.target for link in line.session.scalars(select(TrackedLink))}
    members = {one.id: one.member_id for one in line.session.scalars(select(Account))}
    for message in line.session.scalars(select(OutboxMessage)):
        found = re.search(r'"uri":"([^"]+)"', message.messages)
        code = None if found is None else read_address(line, found[1])
        assert code is not None
        assert code[1] == message.id
        assert targets[code[0]].endswith(f"?of={members[message.account_id]}")


def test_two_that_write_at_once_write_each_message_once(
    line: LineState,
    join: Join,
    begin: Begin,
    make: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "PORTION", 3)
    join(7)
    begin(message="{{ number }}番")
    write, others = making._Portion.write, [1]

    def write_late(portion: Any, people: Any) -> None:
        write(portion, people)
        if others:
            # Another process has done the same meanwhile, and more.
            others.pop()
            line.session.rollback()
            make()

    monkeypatch.setattr(making._Portion, "write", write_late)
    make()
    assert len(_written(line)) == 7
    assert line.session.scalars(select(Campaign.recipients)).one() == 7


def test_a_pause_between_portions_holds_the_rest(
    line: LineState, join: Join, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PORTION", 2)
    monkeypatch.setattr(making, "PORTIONS_AT_ONCE", 1)
    join(5)
    begin(message="{{ number }}番")
    making.make_due(line)
    extension.campaigns.pause("autumn")
    line.session.commit()
    assert making.make_due(line) == 0
    assert len(_written(line)) == 2
    extension.campaigns.resume("autumn")
    line.session.commit()
    while sum(do(line) for do in SCHEDULE):
        pass
    assert len(_written(line)) == 5


def test_who_unlinked_meanwhile_is_not_written_to(
    line: LineState, join: Join, begin: Begin, make: Callable[[], None]
) -> None:
    gone, _stays = join(2)
    begin(message="{{ number }}番")
    extension.unlink(gone)
    line.session.commit()
    make()
    is_campaigns = OutboxMessage.campaign_id.is_not(None)
    assert line.session.scalar(select(func.count()).where(is_campaigns)) == 1


def test_a_value_that_is_gone_for_all_is_told_and_tried_again(
    line: LineState, join: Join, begin: Begin, make: Callable[[], None], clock: StoppedClock
) -> None:
    from flask_lineconnect.marketing.segments.attributes import Attributes

    join(2)
    begin(message="{{ number }}番")
    attributes: Any = line.part(Attributes)
    number = attributes._by_name.pop("number")
    make()
    campaign = line.session.scalars(select(Campaign)).one()
    assert "number" in (campaign.problem or "")
    assert campaign.state == "running"
    attributes._by_name["number"] = number
    line.part(Definitions).made.clear()
    clock.advance(minutes=6)
    make()
    assert len(_written(line)) == 2
    assert line.session.scalars(select(Campaign.problem)).one() is None
