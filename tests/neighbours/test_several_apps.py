"""Two shops in one process, on one extension object: each with its own members and addresses."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy import select

from tests.small_shop import User
from tests.small_shop import db

from . import journey
from .conftest import OpenShop
from .journey import Shop

OTHER = "https://other.example/second"


def _members(shop: Shop) -> int:
    with shop.app.app_context():
        return db.session.scalar(select(func.count()).select_from(User)) or 0


def test_each_walks_the_whole_journey(open_shop: OpenShop) -> None:
    first, second = open_shop(), open_shop(OTHER, LINECONNECT_DEFAULT_PAGE="/name")
    # LINE's channels lead to one of them at a time.
    journey.walk(second)
    assert (_members(first), _members(second)) == (0, 2)
    first.emulator.set_up(base_url=first.base_url)
    journey.walk(first)
    assert (_members(first), _members(second)) == (2, 2)


def test_a_session_of_one_is_nobody_in_the_other(open_shop: OpenShop) -> None:
    first, second = open_shop(), open_shop(SECRET_KEY="another key of sixteen and more")
    person = first.emulator.browser(first.emulator.add_user("佐藤 さくら"))
    here = first.browser()
    journey.register(first, here, person)
    there = second.browser()
    there._client._cookies.update(here._client._cookies)
    assert journey.is_let_in(first, here)
    assert not journey.is_let_in(second, there)
