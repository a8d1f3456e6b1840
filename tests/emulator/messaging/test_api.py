"""What a bot asks for: profiles, followers, itself, the loading animation."""

from __future__ import annotations

import pytest
from linebot.v3.messaging import ShowLoadingAnimationRequest
from linebot.v3.messaging.exceptions import ApiException

from flask_lineconnect.emulator.messaging import friendship

from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import Line
from ..crowds import crowd
from .sdk import error_of


def test_M25_the_profile_of_a_friend(line: Line) -> None:
    line.befriend(SAKURA)

    found = line.api.get_profile(SAKURA)

    assert (found.user_id, found.display_name, found.language) == (SAKURA, "佐藤 さくら", "ja")
    assert found.picture_url == f"{line.host}/static/avatars/user-1.svg"


@pytest.mark.parametrize("who", ["blocker", "non-friend", "unknown"])
def test_M25_a_profile_that_is_not_shown(line: Line, who: str) -> None:
    if who == "blocker":
        friendship.block(line.platform, SAKURA)

    with pytest.raises(ApiException) as caught:
        line.api.get_profile(STRANGER if who == "unknown" else SAKURA)

    assert error_of(caught) == (404, {"message": "Not found"})


def test_M25_a_malformed_user_id(line: Line) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.get_profile("sakura")

    text = "The value for the 'userId' parameter is invalid"
    assert error_of(caught) == (400, {"message": text})


def test_M26_follower_ids_are_for_verified_accounts(line: Line) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.get_followers()

    text = "Access to this API is not available for your account"
    assert error_of(caught) == (403, {"message": text})


def test_C11_the_bot_tells_about_itself(line: Line) -> None:
    found = line.api.get_bot_info()

    assert found.user_id == line.platform.world.messaging_channel.bot_user_id
    assert (found.basic_id, found.display_name, found.chat_mode) == (
        "@demoshop",
        "こもれび堂",
        "bot",
    )


def test_C12_the_loading_animation(line: Line) -> None:
    request = ShowLoadingAnimationRequest(chat_id=STRANGER, loading_seconds=60)

    assert line.api.show_loading_animation_with_http_info(request).status_code == 202


@pytest.mark.parametrize(
    ("chat_id", "seconds", "text"),
    [
        (SAKURA, 0, "Must be between 5 and 60"),
        (SAKURA, 65, "Must be between 5 and 60"),
        (SAKURA, "5", "Must be between 5 and 60"),
        (SAKURA, 7, "must be a multiple of five"),
        ("C" + "0" * 32, 5, "Only user id is acceptable, please confirm if there are any "
         "group/room ids or illegal ids."),
    ],
)  # fmt: skip
def test_C12_what_the_loading_animation_refuses(
    line: Line, chat_id: str, seconds: object, text: str
) -> None:
    body = {"chatId": chat_id, "loadingSeconds": seconds}
    answer = line.call("POST", "/v2/bot/chat/loading/start", json=body)

    assert answer.status_code == 400
    assert [detail["message"] for detail in answer.json()["details"]] == [text]


def test_M26_followers_of_a_verified_account(line: Line) -> None:
    friends = crowd(line, 5)
    with line.platform.change() as world:
        world.messaging_channel.is_verified = True

    first = line.api.get_followers(limit=3)
    second = line.api.get_followers(limit=3, start=first.next)

    assert [*first.user_ids, *second.user_ids] == friends
    assert second.next is None
    bad = line.call("GET", "/v2/bot/followers/ids?start=nonsense")
    assert (bad.status_code, bad.json()) == (400, {"message": "Invalid start param"})
