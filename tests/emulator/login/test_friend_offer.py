"""The offer to add the account as a friend, on the way through the login."""

from __future__ import annotations

import pytest

from flask_lineconnect.emulator.messaging import friendship

from ..conftest import SAKURA
from ..conftest import Shop
from .login_browser import Browser
from .login_browser import back


@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_P1_without_a_linked_account_there_is_no_offer(sakura: Browser, bot_prompt: str) -> None:
    with sakura.line.platform.change() as world:
        world.login_channel.is_bot_linked = False
    assert set(sakura.log_in({"bot_prompt": bot_prompt}, friend=True)) == {"code", "state"}
    assert sakura.line.platform.world.users[SAKURA].relation == "none"


@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("bot_prompt", ["normal", "aggressive"])
def test_P2_the_friend_offer(sakura: Browser, shop: Shop, bot_prompt: str, accepts: bool) -> None:
    found = sakura.log_in({"bot_prompt": bot_prompt}, friend=accepts)
    assert found["friendship_status_changed"] == str(accepts).lower()
    assert sakura.line.platform.world.users[SAKURA].relation == ("friend" if accepts else "none")
    if accepts:
        event = shop.events(1)[0]
        assert (event["type"], event["follow"]) == ("follow", {"isUnblocked": False})


def test_P3_who_blocked_the_account_may_unblock_it(sakura: Browser, shop: Shop) -> None:
    with sakura.line.platform.change() as world:
        world.users[SAKURA].relation = "blocked"
    found = sakura.log_in({"bot_prompt": "aggressive"}, friend=True)
    assert found["friendship_status_changed"] == "true"
    assert shop.events(1)[0]["follow"] == {"isUnblocked": True}


def test_P4_a_friend_gets_no_offer(sakura: Browser) -> None:
    friendship.add_friend(sakura.line.platform, SAKURA)
    consent = sakura.press(sakura.open({"bot_prompt": "aggressive"}), user_id=SAKURA)
    answer = back(sakura.press(consent, decision="allow"))
    assert answer["friendship_status_changed"] == "false"
