"""Linking inside the chat (K1 to K4), and redelivery of webhooks (W6 to W8)."""

from __future__ import annotations

import pytest
import requests

from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import Line
from ..conftest import Shop
from ..conftest import wait_until

NONCE = "a nonce of the shop"


def _open(line: Line, link_token: str, user_id: str, nonce: str = NONCE) -> requests.Response:
    """Open LINE's page in a browser in which a user is logged in to LINE."""
    return requests.get(
        f"{line.host}/dialog/bot/accountLink",
        params={"linkToken": link_token, "nonce": nonce},
        cookies={"line_emulator_session": user_id},
        timeout=60,
    )


def _token(line: Line) -> str:
    return str(line.api.issue_link_token(SAKURA).link_token)


def test_K1_the_right_user_is_linked(line: Line, shop: Shop) -> None:
    assert _open(line, _token(line), SAKURA).status_code == 200
    event = shop.events(1)[0]
    assert event["type"] == "accountLink"
    assert event["link"] == {"result": "ok", "nonce": NONCE}
    assert event["source"] == {"type": "user", "userId": SAKURA}
    assert event["replyToken"]


def test_K2_another_user_is_told_without_source(line: Line, shop: Shop) -> None:
    assert _open(line, _token(line), KENTA).status_code == 200
    event = shop.events(1)[0]
    assert event["link"]["result"] == "failed"
    assert not {"source", "replyToken"} & set(event)


def test_K3_a_link_token_is_good_once_and_for_ten_minutes(line: Line, shop: Shop) -> None:
    used, old = _token(line), _token(line)
    _open(line, used, SAKURA)
    assert _open(line, used, SAKURA).status_code == 400
    line.platform.clock.advance(601)
    assert _open(line, old, SAKURA).status_code == 400
    assert len(shop.bodies(1)) == 1


@pytest.mark.parametrize("nonce", ["", "short", "x" * 256])
def test_K4_a_nonce_has_ten_to_255_characters(line: Line, shop: Shop, nonce: str) -> None:
    token = _token(line)
    assert _open(line, token, SAKURA, nonce).status_code == 400
    # Nothing was used up by it.
    assert _open(line, token, SAKURA).status_code == 200
    assert len(shop.bodies(1)) == 1


def test_without_a_line_user_there_is_nothing_to_link(line: Line, shop: Shop) -> None:
    assert _open(line, _token(line), "nobody").status_code == 400
    assert shop.requests == []


def _redeliver(line: Line, count: int) -> None:
    with line.platform.change() as world:
        channel = world.messaging_channel
        channel.redelivery, channel.redelivery_seconds = True, 0.05
        channel.redelivery_count = count


def test_W6_without_redelivery_a_refused_webhook_is_lost(line: Line, shop: Shop) -> None:
    shop.status = 500
    _open(line, _token(line), SAKURA)
    wait_until(lambda: line.platform.webhooks)
    assert [record["outcome"] for record in line.platform.webhooks] == ["error_status_code"]
    assert len(shop.requests) == 1


def test_W7_a_refused_webhook_comes_again_until_it_is_taken(line: Line, shop: Shop) -> None:
    _redeliver(line, count=3)
    shop.status = 500
    _open(line, _token(line), SAKURA)
    shop.bodies(2)
    shop.status = 200
    bodies = shop.bodies(3)
    first, again = bodies[0]["events"][0], bodies[-1]["events"][0]
    assert first["deliveryContext"] == {"isRedelivery": False}
    assert again["deliveryContext"] == {"isRedelivery": True}
    assert {**first, "deliveryContext": None} == {**again, "deliveryContext": None}


def test_W7_it_comes_no_more_than_the_configured_count(line: Line, shop: Shop) -> None:
    _redeliver(line, count=2)
    shop.status = 500
    _open(line, _token(line), SAKURA)
    wait_until(lambda: len(line.platform.webhooks) == 3)
    # Another event passes the same way, and nothing of the first is left in it.
    shop.status = 200
    _open(line, _token(line), SAKURA)
    assert len(shop.bodies(4)) == 4
    assert not shop.bodies(4)[3]["events"][0]["deliveryContext"]["isRedelivery"]
