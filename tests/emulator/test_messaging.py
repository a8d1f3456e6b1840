"""The Messaging API of the emulator through LINE's own SDK, by the numbers of the behaviours."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from linebot.v3 import WebhookParser
from linebot.v3.messaging import ApiClient
from linebot.v3.messaging import Configuration
from linebot.v3.messaging import MessagingApi
from linebot.v3.messaging import MessagingApiBlob
from linebot.v3.messaging import MulticastRequest
from linebot.v3.messaging import PushMessageRequest
from linebot.v3.messaging import ReplyMessageRequest
from linebot.v3.messaging import RichMenuRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.oauth import ApiClient as OAuthApiClient
from linebot.v3.oauth import ChannelAccessToken
from linebot.v3.oauth import Configuration as OAuthConfiguration

from flask_lineconnect import Emulator

CHANNEL, SECRET = "1650000002", "fedcba9876543210fedcba9876543210"
IMAGE = Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png"


@pytest.fixture
def api(line_emulator: Emulator) -> MessagingApi:
    """Return LINE's SDK with a stateless token that the SDK itself fetched."""
    return MessagingApi(_client(line_emulator))


def _client(line: Emulator) -> ApiClient:
    oauth = ChannelAccessToken(OAuthApiClient(OAuthConfiguration(host=line.url)))
    token = oauth.issue_stateless_channel_token(
        grant_type="client_credentials", client_id=CHANNEL, client_secret=SECRET
    ).access_token
    return ApiClient(Configuration(host=line.url, access_token=token))


@pytest.fixture
def friend(line_emulator: Emulator) -> str:
    """Return a LINE user who is a friend."""
    user_id = line_emulator.add_user("佐藤 さくら")
    line_emulator.add_friend(user_id)
    return user_id


@pytest.fixture
def webhooks(line_emulator: Emulator) -> Iterator[list[tuple[bytes, str]]]:
    """Return the webhooks that a listening server has got: bodies and signatures."""
    got: list[tuple[bytes, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["X-Line-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/line/webhook"
    line_emulator.set_up(messaging_channel={"webhook_url": url})
    yield got
    server.shutdown()
    thread.join()
    server.server_close()


def _wait_for(got: list[tuple[bytes, str]], count: int) -> list[Any]:
    deadline = time.monotonic() + 10
    while len(got) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(got) == count
    parser = WebhookParser(SECRET)
    # LINE's own parser checks the signature and the form of every event.
    return [event for body, signature in got for event in parser.parse(body.decode(), signature)]


def _push(to: str, *texts: str) -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text) for text in texts])


def _texts(line: Emulator, user_id: str) -> list[str]:
    return [message["text"] for message in line.received(user_id)]


def _refusal(call: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ApiException) as error:
        call()
    return error.value.status, json.loads(error.value.body)


def test_M2_a_push_reaches_a_friend_and_counts(
    line_emulator: Emulator, api: MessagingApi, friend: str
) -> None:
    answer = api.push_message(_push(friend, "一", "二"))
    assert len(answer.sent_messages) == 2
    assert _texts(line_emulator, friend) == ["一", "二"]
    assert api.get_message_quota_consumption().total_usage == 1


@pytest.mark.parametrize("relation", ["none", "blocked"])
def test_M3_a_push_to_others_is_accepted_and_dropped(
    line_emulator: Emulator, api: MessagingApi, relation: str
) -> None:
    user_id = line_emulator.add_user("鈴木 健太")
    if relation == "blocked":
        line_emulator.block(user_id)
    assert api.push_message(_push(user_id, "hello")).sent_messages
    assert _texts(line_emulator, user_id) == []
    assert api.get_message_quota_consumption().total_usage == 0


def test_M5_M6_unknown_and_malformed_people(api: MessagingApi) -> None:
    assert _refusal(lambda: api.push_message(_push("U" + "f" * 32, "x"))) == (
        400,
        {"message": "Failed to send messages"},
    )
    assert _refusal(lambda: api.push_message(_push("somebody", "x")))[0] == 400


def test_M1_tokens_of_others_are_refused(line_emulator: Emulator, friend: str) -> None:
    for token in ("", "unknown"):
        client = ApiClient(Configuration(host=line_emulator.url, access_token=token))
        assert _refusal(lambda c=client: MessagingApi(c).push_message(_push(friend, "x")))[0] == 401  # type: ignore[misc]


def test_M31_a_stateless_token_lives_15_minutes(
    line_emulator: Emulator, api: MessagingApi, friend: str
) -> None:
    line_emulator.advance(901)
    assert _refusal(lambda: api.push_message(_push(friend, "x")))[0] == 401


def test_M7_multicast_reaches_everybody_once(
    line_emulator: Emulator, api: MessagingApi, friend: str
) -> None:
    stranger = "U" + "f" * 32
    request = MulticastRequest(to=[friend, friend, stranger], messages=[TextMessage(text="x")])
    api.multicast(request)
    assert _texts(line_emulator, friend) == ["x"]
    malformed = MulticastRequest(to=[friend, "x"], messages=[TextMessage(text="y")])
    status, body = _refusal(lambda: api.multicast(malformed))
    assert (status, "to[1]" in body["message"]) == (400, True)
    assert _texts(line_emulator, friend) == ["x"]


@pytest.mark.parametrize(
    ("messages", "prop"),
    [
        ([], "messages"),
        ([{"type": "text", "text": "x"}] * 6, "messages"),
        ([{"type": "text", "text": ""}], "messages[0].text"),
        ([{"type": "text", "text": "🍎" * 2_501}], "messages[0].text"),
        ([{"type": "poem"}], "messages[0].type"),
        (
            [
                {
                    "type": "image",
                    "originalContentUrl": "http://example.com/a.png",
                    "previewImageUrl": "https://example.com/a.png",
                }
            ],
            "messages[0].originalContentUrl",
        ),
    ],
)
def test_M9_M10_what_is_wrong_is_listed(
    line_emulator: Emulator, api: MessagingApi, friend: str, messages: list[Any], prop: str
) -> None:
    token = api.api_client.configuration.access_token
    answer = requests.post(
        f"{line_emulator.url}/v2/bot/message/push",
        json={"to": friend, "messages": messages},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert [detail["property"] for detail in answer.json()["details"]] == [prop]
    assert answer.headers["x-line-request-id"]


def test_M11_M13_the_quota_holds_pushes_but_not_replies(
    line_emulator: Emulator, api: MessagingApi, friend: str, webhooks: list[tuple[bytes, str]]
) -> None:
    line_emulator.set_up(messaging_channel={"quota": 1})
    api.push_message(_push(friend, "one"))
    status, body = _refusal(lambda: api.push_message(_push(friend, "two")))
    assert (status, body["message"]) == (429, "You have reached your monthly limit.")
    line_emulator.write(friend, "hi")
    token = _wait_for(webhooks, 1)[0].reply_token
    api.reply_message(ReplyMessageRequest(reply_token=token, messages=[TextMessage(text="yes")]))
    assert _texts(line_emulator, friend) == ["one", "yes"]


def test_M15_M16_a_retry_key_sends_once_a_day(
    line_emulator: Emulator, api: MessagingApi, friend: str
) -> None:
    key = str(uuid.uuid4())
    first = api.push_message_with_http_info(_push(friend, "x"), x_line_retry_key=key)
    with pytest.raises(ApiException) as again:
        api.push_message(_push(friend, "x"), x_line_retry_key=key)
    assert again.value.status == 409
    headers = {name.lower(): value for name, value in again.value.headers.items()}
    accepted = {name.lower(): value for name, value in first.headers.items()}
    assert headers["x-line-accepted-request-id"] == accepted["x-line-request-id"]
    sent = json.loads(again.value.body)["sentMessages"]
    assert sent[0]["id"] == first.data.sent_messages[0].id
    assert _texts(line_emulator, friend) == ["x"]


def test_M18_a_reply_takes_no_retry_key(line_emulator: Emulator, api: MessagingApi) -> None:
    token = api.api_client.configuration.access_token
    answer = requests.post(
        f"{line_emulator.url}/v2/bot/message/reply",
        json={"replyToken": "x", "messages": [{"type": "text", "text": "x"}]},
        headers={"Authorization": f"Bearer {token}", "X-Line-Retry-Key": str(uuid.uuid4())},
        timeout=10,
    )
    assert answer.status_code == 400


def test_M21_a_reply_token_is_good_for_one_answer_and_a_minute(
    line_emulator: Emulator, api: MessagingApi, friend: str, webhooks: list[tuple[bytes, str]]
) -> None:
    line_emulator.write(friend, "a")
    line_emulator.write(friend, "b")
    used, late = (event.reply_token for event in _wait_for(webhooks, 2))

    def reply(token: str) -> Any:
        return api.reply_message(
            ReplyMessageRequest(reply_token=token, messages=[TextMessage(text="x")])
        )

    reply(used)
    assert _refusal(lambda: reply(used))[1] == {"message": "Invalid reply token"}
    line_emulator.advance(61)
    assert _refusal(lambda: reply(late))[1] == {"message": "Invalid reply token"}


def test_M25_profiles_are_for_friends(
    line_emulator: Emulator, api: MessagingApi, friend: str
) -> None:
    assert api.get_profile(friend).display_name == "佐藤 さくら"
    line_emulator.block(friend)
    assert _refusal(lambda: api.get_profile(friend)) == (404, {"message": "Not found"})
    assert _refusal(lambda: api.get_profile("x"))[0] == 400


def test_W13_blocking_and_unblocking_are_told(
    line_emulator: Emulator, friend: str, webhooks: list[tuple[bytes, str]]
) -> None:
    line_emulator.block(friend)
    line_emulator.unblock(friend)
    unfollow, follow = _wait_for(webhooks, 2)
    assert (unfollow.type, follow.type, follow.follow.is_unblocked) == ("unfollow", "follow", True)


def test_W6_a_shop_that_is_down_is_noted(line_emulator: Emulator, friend: str) -> None:
    line_emulator.set_up(messaging_channel={"webhook_url": "http://127.0.0.1:9/line/webhook"})
    line_emulator.write(friend, "hello?")
    deadline = time.monotonic() + 5
    while not line_emulator.webhooks() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert line_emulator.webhooks()[-1]["outcome"] == "could_not_connect"


def _definition(**changes: Any) -> RichMenuRequest:
    menu = {
        "size": {"width": 2500, "height": 1686},
        "selected": True,
        "name": "Main",
        "chatBarText": "Menu",
        "areas": [],
        **changes,
    }
    return RichMenuRequest.from_dict(menu)


def test_M27_a_rich_menu_needs_its_image(line_emulator: Emulator) -> None:
    client = _client(line_emulator)
    api, blob = MessagingApi(client), MessagingApiBlob(client)
    menu_id = api.create_rich_menu(_definition()).rich_menu_id
    status, body = _refusal(lambda: api.set_default_rich_menu(menu_id))
    assert (status, "must upload richmenu image" in body["message"]) == (400, True)

    def upload(content_type: str, body: bytes = IMAGE.read_bytes()) -> None:
        blob.set_rich_menu_image(menu_id, body, _headers={"Content-Type": content_type})

    assert _refusal(lambda: upload("image/gif"))[0] == 415
    assert _refusal(lambda: upload("image/png", b"\x89PNG\r\n\x1a\n" + b"0" * 40))[0] == 400
    upload("image/png")
    assert _refusal(lambda: upload("image/png"))[0] == 400
    api.set_default_rich_menu(menu_id)
    assert api.get_default_rich_menu_id().rich_menu_id == menu_id
    ratio = _definition(size={"width": 1000, "height": 900})
    assert _refusal(lambda: api.create_rich_menu(ratio))[0] == 400
    api.delete_rich_menu(menu_id)
    assert _refusal(lambda: api.get_rich_menu(menu_id))[0] == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/bot/message/push"),
        ("POST", "/oauth2/v2.1/token"),
        ("GET", "/v2/profile"),
        ("GET", "/v2/bot/nowhere"),
        ("PUT", "/liff/v1/apps/1-x"),
        ("POST", "/_emulator/users"),
        ("POST", "/_emulator/users/nobody/text"),
    ],
)
def test_bad_requests_get_json_and_never_a_traceback(
    line_emulator: Emulator, method: str, path: str
) -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe", b'{"messages": 5}'):
        answer = requests.request(
            method,
            line_emulator.url + path,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=10,
        )
        assert 400 <= answer.status_code < 500
        assert isinstance(answer.json(), dict)
