"""Sending messages and asking for things, with the official SDK; numbers are the fact sheet's."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from linebot.v3 import liff
from linebot.v3.messaging import BroadcastRequest
from linebot.v3.messaging import FlexMessage
from linebot.v3.messaging import ImageMessage
from linebot.v3.messaging import LocationMessage
from linebot.v3.messaging import MulticastRequest
from linebot.v3.messaging import PushMessageRequest
from linebot.v3.messaging import ReplyMessageRequest
from linebot.v3.messaging import ShowLoadingAnimationRequest
from linebot.v3.messaging import TextMessage
from linebot.v3.messaging import ValidateMessageRequest
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.oauth.exceptions import ApiException as TokenException

from flask_lineconnect.emulator.messaging import chats
from flask_lineconnect.emulator.phone import friendship

from ..conftest import EMMA
from ..conftest import KENTA
from ..conftest import SAKURA
from ..conftest import STRANGER
from ..conftest import YOKO
from ..conftest import Line
from ..conftest import Shop

PUSH = "/v2/bot/message/push"


def push_request(to: str, *texts: str) -> PushMessageRequest:
    return PushMessageRequest(to=to, messages=[TextMessage(text=text) for text in texts or ("や",)])


def error_of(caught: pytest.ExceptionInfo[ApiException]) -> tuple[int, dict[str, Any]]:
    return caught.value.status, json.loads(caught.value.body)


def details_of(line: Line, *messages: object) -> list[tuple[str, str]]:
    """Return what the validate endpoint says about messages."""
    answer = line.call("POST", "/v2/bot/message/validate/push", json={"messages": messages})
    if answer.status_code == 200:
        return []
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert answer.json()["message"] == f"The request body has {len(details)} error(s)"
    return [(detail["property"], detail["message"]) for detail in details]


def fail(line: Line, **fault: Any) -> None:
    line.platform.faults.add(**{"path": PUSH, "status": 500, "times": 1} | fault)


def test_M1_no_token(line: Line) -> None:
    answer = line.call("POST", PUSH, json={}, headers={"Authorization": ""})

    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Authorization header required. Must follow")


@pytest.mark.parametrize("kind", ["bad", "expired", "revoked", "login channel's"])
def test_M1_a_token_that_is_no_good(line: Line, kind: str) -> None:
    world = line.platform.world
    if kind == "bad":
        line.token = "x"
    elif kind == "expired":
        line.platform.clock.advance(901)
    elif kind == "revoked":
        channel = world.messaging_channel
        line.token = line.tokens.issue_channel_token(
            "client_credentials", channel.id, channel.secret
        ).access_token
        assert line.api.get_bot_info().basic_id == "@demoshop"
        line.tokens.revoke_channel_token(line.token)
    else:
        line.token = line.tokens.issue_stateless_channel_token_by_client_secret(
            world.login_channel.id, world.login_channel.secret
        ).access_token

    with pytest.raises(ApiException) as caught:
        line.api.get_bot_info()

    text = "Authentication failed. Confirm that the access token in the authorization header is"
    assert error_of(caught) == (401, {"message": f"{text} valid."})


def test_M1_the_liff_server_api_takes_the_login_channels_token(line: Line) -> None:
    pytest.importorskip("flask_lineconnect.emulator.liff.opening")
    channel = line.platform.world.login_channel
    token = line.tokens.issue_channel_token("client_credentials", channel.id, channel.secret)

    def apps(access_token: str) -> Any:
        configuration = liff.Configuration(host=line.host, access_token=access_token)
        return liff.Liff(liff.ApiClient(configuration)).get_all_liff_apps()

    assert [app.liff_id for app in apps(token.access_token).apps] == ["1650000001-DemoCard"]
    with pytest.raises(liff.exceptions.ApiException) as caught:
        apps(line.token)
    assert caught.value.status == 401


def test_M2_push_to_a_friend(line: Line) -> None:
    line.befriend(SAKURA)

    answer = line.api.push_message(push_request(SAKURA, "一", "二"))

    assert line.chat(SAKURA) == ["一", "二"]
    ids = [entry.id for entry in line.platform.world.chats[SAKURA]]
    assert [sent.id for sent in answer.sent_messages] == ids
    assert all(sent.quote_token for sent in answer.sent_messages)
    assert line.used() == 1
    assert line.platform.world.users[SAKURA].unread == 2


def test_C6_a_location_has_no_quote_token(line: Line) -> None:
    line.befriend(SAKURA)
    place = LocationMessage(title="店", address="京都", latitude=35.0, longitude=135.7)

    answer = line.api.push_message(PushMessageRequest(to=SAKURA, messages=[place]))

    assert answer.sent_messages[0].quote_token is None


@pytest.mark.parametrize("relation", ["none", "blocked"])
def test_M3_push_that_reaches_nobody_is_accepted(line: Line, relation: Any) -> None:
    with line.platform.change() as world:
        world.users[SAKURA].relation = relation

    answer = line.api.push_message(push_request(SAKURA))

    assert len(answer.sent_messages) == 1
    assert line.chat(SAKURA) == []
    assert line.used() == 0


def test_M4_who_wrote_can_be_answered_for_seven_days(line: Line) -> None:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    line.api.push_message(push_request(SAKURA, "まだ"))
    line.platform.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    channel = line.platform.world.messaging_channel
    line.token = line.tokens.issue_stateless_channel_token_by_client_secret(
        channel.id, channel.secret
    ).access_token
    line.api.push_message(push_request(SAKURA, "もう"))

    assert line.chat(SAKURA) == ["こんにちは", "まだ"]


@pytest.mark.parametrize("to", [STRANGER, "C" + "0" * 32])
def test_M5_push_to_an_unknown_user_or_group(line: Line, to: str) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(to))

    assert error_of(caught) == (400, {"message": "Failed to send messages"})


@pytest.mark.parametrize("to", ["", "sakura", SAKURA.lower(), SAKURA + "0", SAKURA + "\n"])
def test_M6_push_to_something_malformed(line: Line, to: str) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(to))

    text = "The property, 'to', in the request body is invalid (line: -, column: -)"
    assert error_of(caught) == (400, {"message": text})


def multicast(line: Line, to: list[str], key: str | None = None) -> None:
    request = MulticastRequest(to=to, messages=[TextMessage(text="や")])
    line.api.multicast(request, x_line_retry_key=key)


def test_M7_multicast_reaches_each_friend_once(line: Line) -> None:
    line.befriend(SAKURA, KENTA)

    multicast(line, [SAKURA, KENTA, SAKURA, YOKO])

    assert [len(line.chat(user_id)) for user_id in (SAKURA, KENTA, YOKO)] == [1, 1, 0]
    assert line.used() == 2


def test_M7_multicast_to_501(line: Line) -> None:
    body = {"to": [SAKURA] * 501, "messages": [{"type": "text", "text": "や"}]}
    answer = line.call("POST", "/v2/bot/message/multicast", json=body)

    assert answer.status_code == 400
    assert answer.json()["details"] == [
        {"message": "Size must be between 1 and 500", "property": "to"}
    ]


@pytest.mark.parametrize("bad", ["x", "C" + "0" * 32])
def test_M7_one_malformed_id_stops_a_multicast(line: Line, bad: str) -> None:
    line.befriend(SAKURA)

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA, bad])

    text = "The property, to[1], in the request body is invalid (line: -, column: -)"
    assert error_of(caught) == (400, {"message": text})
    assert line.chat(SAKURA) == []


@pytest.mark.parametrize("is_strict", [False, True])
def test_M8_multicast_to_an_unknown_user(line: Line, is_strict: bool) -> None:
    line.befriend(SAKURA)
    with line.platform.change() as world:
        world.messaging_channel.refuses_foreign_multicast = is_strict

    if is_strict:
        with pytest.raises(ApiException) as caught:
            multicast(line, [SAKURA, STRANGER])
        assert caught.value.status == 400
    else:
        multicast(line, [SAKURA, STRANGER])

    assert len(line.chat(SAKURA)) == (0 if is_strict else 1)


def test_broadcast_reaches_all_friends(line: Line) -> None:
    line.befriend(SAKURA, EMMA)
    friendship.block(line.platform, EMMA)

    line.api.broadcast(BroadcastRequest(messages=[TextMessage(text="や")]))

    assert [len(line.chat(user_id)) for user_id in (SAKURA, KENTA, EMMA)] == [1, 0, 0]
    assert line.used() == 1


TEXT = {"type": "text", "text": "や"}


@pytest.mark.parametrize("count", [0, 6])
def test_M9_too_few_or_many_messages(line: Line, count: int) -> None:
    assert details_of(line, *[TEXT] * count) == [("messages", "Size must be between 1 and 5")]


def test_M9_all_errors_are_listed_with_their_paths(line: Line) -> None:
    button = {"type": "uri", "label": "あ" * 21, "uri": "ftp://shop.example"}
    buttons = {"type": "buttons", "text": "や", "actions": [button]}

    found = details_of(
        line,
        {"type": "text", "text": ""},
        {"type": "text", "text": "a" * 5_001},
        {"type": "poem"},
        {"type": "template", "altText": "や", "template": buttons},
        {
            "type": "image",
            "originalContentUrl": "http://shop.example/1.jpg",
            "previewImageUrl": "https://shop.example/1.jpg",
        },
    )

    types = "text, textV2, sticker, image, video, audio, location, imagemap, template, flex, coupon"
    assert found == [
        ("messages[0].text", "May not be empty"),
        ("messages[1].text", "Length must be between 0 and 5000"),
        ("messages[2].type", f"Must be one of the following values: [{types}]"),
        ("messages[3].template.actions[0].label", "Length must be between 0 and 20"),
        ("messages[3].template.actions[0].uri", "invalid uri scheme"),
        ("messages[4].originalContentUrl", "invalid uri scheme"),
    ]


def test_M9_media_of_this_machine_may_be_plain_http(line: Line) -> None:
    url = "http://127.0.0.1:5000/static/1.png"
    message = ImageMessage(original_content_url=url, preview_image_url=url)

    line.api.validate_push(ValidateMessageRequest(messages=[message]))


def test_M10_text_is_counted_in_utf16(line: Line) -> None:
    assert details_of(line, {"type": "text", "text": "🍵" * 2_500}) == []
    found = details_of(line, {"type": "text", "text": "🍵" * 2_501})
    assert found == [("messages[0].text", "Length must be between 0 and 5000")]


def confirm(*labels: str, text: str = "や") -> dict[str, Any]:
    actions = [{"type": "message", "label": label, "text": "や"} for label in labels]
    template = {"type": "confirm", "text": text, "actions": actions}
    return {"type": "template", "altText": "や", "template": template}


def test_C6_labels_are_counted_in_graphemes(line: Line) -> None:
    family = "👨‍👩‍👧"

    assert details_of(line, confirm(family * 20, "か\u3099" * 20)) == []
    assert len(details_of(line, confirm(family * 21, "か\u3099" * 21))) == 2


def quick_reply(*actions: object) -> dict[str, Any]:
    items = [{"type": "action", "action": action} for action in actions]
    return {"type": "text", "text": "や", "quickReply": {"items": items}}


def flex(contents: object) -> dict[str, Any]:
    return {"type": "flex", "altText": "や", "contents": contents}


def bubble(*components: object, layout: str = "vertical", **more: object) -> dict[str, Any]:
    body = {"type": "box", "layout": layout, "contents": list(components)}
    return {"type": "bubble", "body": body, **more}


CAMERA = {"type": "camera", "label": "とる"}
LINK = {"type": "uri", "label": "ひらく", "uri": "https://shop.example/"}
COLUMN = {"text": "や", "actions": [LINK]}


def carousel(*columns: object) -> dict[str, Any]:
    template = {"type": "carousel", "columns": list(columns)}
    return {"type": "template", "altText": "や", "template": template}


@pytest.mark.parametrize(
    "message",
    [
        quick_reply(*[CAMERA] * 13),
        quick_reply({"type": "postback", "label": "や", "data": "x", "displayText": "や"}),
        confirm("はい", "いいえ"),
        carousel(COLUMN, COLUMN),
        flex(bubble({"type": "text", "text": "や"}, {"type": "button", "action": LINK})),
        flex(bubble({"type": "text", "contents": [{"type": "span", "text": "や"}]})),
        flex(bubble()),
        flex({"type": "carousel", "contents": [bubble(size="kilo")] * 12}),
        {"type": "text", "text": "$や", "emojis": [{"index": 0, "productId": "a", "emojiId": "1"}]},
        {"type": "textV2", "text": "{a}", "substitution": {
            "a": {"type": "emoji", "productId": "a", "emojiId": "1"}}},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "text", "text": "や", "sender": {"name": "店長", "iconUrl": "https://a.example/"}},
    ],
)  # fmt: skip
def test_C6_what_the_reference_allows(line: Line, message: object) -> None:
    assert details_of(line, message) == []


DATE = {"type": "datetimepicker", "label": "や", "data": "x", "mode": "date"}


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (quick_reply(*[CAMERA] * 14), "quickReply.items"),
        (quick_reply(), "quickReply.items"),
        (quick_reply({"type": "message", "text": "や"}), "quickReply.items[0].action.label"),
        (quick_reply(DATE | {"initial": "06:15"}), "quickReply.items[0].action.initial"),
        (quick_reply(None), "quickReply.items[0].action"),
        ({"type": "text", "text": "や", "quickReply": []}, "quickReply"),
        (confirm("はい"), "template.actions"),
        (confirm("a", "b", text="x" * 241), "template.text"),
        (carousel(COLUMN, COLUMN | {"title": "や"}), "template.columns"),
        (carousel(*[COLUMN] * 11), "template.columns"),
        (carousel(COLUMN | {"title": "や", "text": "x" * 61}), "template.columns[0].text"),
        (carousel(COLUMN | {"actions": [CAMERA]}), "template.columns[0].actions[0].type"),
        (flex({"type": "carousel", "contents": [bubble()] * 13}), "contents.contents"),
        (flex({"type": "carousel", "contents": [bubble(), bubble(size="kilo")]}),
         "contents.contents"),
        (flex(bubble({"type": "icon", "url": "https://a.example/"})),
         "contents.body.contents[0].type"),
        (flex(bubble({"type": "button", "action": LINK}, layout="baseline")),
         "contents.body.contents[0].type"),
        (flex(bubble({"type": "text", "text": ""})), "contents.body.contents[0].text"),
        (flex(bubble({"type": "text", "text": "x" * 30_000})), "contents"),
        (flex([]), "contents"),
        ({"type": "text", "text": "や", "emojis": [
            {"index": 0, "productId": "a", "emojiId": "1"}]}, "emojis[0].index"),
        ({"type": "text", "text": "や", "sender": {"name": "LINE 公式"}}, "sender.name"),
        ({"type": "text", "text": 7}, "text"),
        ({"type": "location", "title": "a", "address": "b", "latitude": 91, "longitude": 0},
         "latitude"),
        ({"type": "audio", "originalContentUrl": "https://a.example/", "duration": True},
         "duration"),
        ({"type": "sticker", "packageId": "446"}, "stickerId"),
    ],
)  # fmt: skip
def test_C6_what_the_reference_forbids(line: Line, message: object, where: str) -> None:
    assert [path for path, _ in details_of(line, message)] == [f"messages[0].{where}"]


@pytest.mark.parametrize("message", [None, 7, "x", [], {}, {"type": []}, {"type": {"a": 1}}])
def test_M9_what_is_no_message_at_all(line: Line, message: object) -> None:
    assert len(details_of(line, message)) == 1


def test_M9_boxes_in_boxes_do_not_exhaust_the_server(line: Line) -> None:
    inner: dict[str, Any] = {"type": "text", "text": "や"}
    for _ in range(300):
        inner = {"type": "box", "layout": "vertical", "contents": [inner]}

    assert len(details_of(line, flex(bubble(inner)))) == 1


def test_M11_the_quota_is_all_or_nothing(line: Line) -> None:
    line.befriend(SAKURA, KENTA)
    with line.platform.change() as world:
        world.messaging_channel.quota = 2
    line.api.push_message(push_request(SAKURA, "一"))
    key = str(uuid.uuid4())

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA, KENTA], key)

    assert error_of(caught) == (429, {"message": "You have reached your monthly limit."})
    assert line.chat(KENTA) == []
    assert line.used() == 1
    # A refused request does not consume its key.
    multicast(line, [KENTA], key)
    assert line.used() == 2
    line.api.push_message(push_request(YOKO))


def test_M11_a_new_month_begins_in_japan(line: Line) -> None:
    line.befriend(SAKURA)
    clock = line.platform.clock
    clock.freeze(clock.now().replace(month=8, day=31, hour=14, minute=59, second=0))
    with line.platform.change() as world:
        world.messaging_channel.quota = 1
    line.token = stateless(line)
    line.api.push_message(push_request(SAKURA))
    clock.advance(120)

    assert line.used() == 0
    line.api.push_message(push_request(SAKURA))
    assert line.chat(SAKURA) == ["や", "や"]


def stateless(line: Line) -> str:
    channel = line.platform.world.messaging_channel
    token: str = line.tokens.issue_stateless_channel_token_by_client_secret(
        channel.id, channel.secret
    ).access_token
    return token


def test_C5_the_quota_is_told(line: Line) -> None:
    assert (line.api.get_message_quota().type, line.api.get_message_quota().value) == (
        "limited",
        30_000,
    )
    with line.platform.change() as world:
        world.messaging_channel.quota = None
    assert line.call("GET", "/v2/bot/message/quota").json() == {"type": "none"}


def reply(line: Line, token: str, text: str = "返事") -> Any:
    request = ReplyMessageRequest(reply_token=token, messages=[TextMessage(text=text)])
    return line.api.reply_message(request)


def reply_token(line: Line, shop: Shop) -> str:
    chats.write_text(line.platform, SAKURA, "こんにちは")
    token: str = shop.events(1)[0]["replyToken"]
    return token


def test_M13_a_reply_is_free(line: Line, shop: Shop) -> None:
    with line.platform.change() as world:
        world.messaging_channel.quota = 0

    answer = reply(line, reply_token(line, shop))

    assert answer.sent_messages[0].id == line.platform.world.chats[SAKURA][-1].id
    assert line.chat(SAKURA) == ["こんにちは", "返事"]
    assert line.used() == 0


@pytest.mark.parametrize("kind", ["used", "expired", "unknown"])
def test_M21_a_reply_token_that_is_no_good(line: Line, shop: Shop, kind: str) -> None:
    token = reply_token(line, shop)
    if kind == "used":
        reply(line, token)
    elif kind == "expired":
        line.platform.clock.advance(61)
    else:
        token = "0" * 32

    with pytest.raises(ApiException) as caught:
        reply(line, token, "二度目")

    assert error_of(caught) == (400, {"message": "Invalid reply token"})
    assert "二度目" not in line.chat(SAKURA)


def test_D5_a_refused_reply_does_not_use_up_its_token(line: Line, shop: Shop) -> None:
    token = reply_token(line, shop)
    body = {"replyToken": token, "messages": []}
    assert line.call("POST", "/v2/bot/message/reply", json=body).status_code == 400

    reply(line, token)


def test_M15_M17_an_accepted_retry_key_is_refused(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    first = line.api.push_message_with_http_info(push_request(SAKURA, "一"), x_line_retry_key=key)

    for text in ("一", "二"):
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA, text), x_line_retry_key=key.upper())

        status, body = error_of(caught)
        assert (status, body["message"]) == (409, "The retry key is already accepted")
        assert [sent["id"] for sent in body["sentMessages"]] == [
            sent.id for sent in first.data.sent_messages
        ]
        assert caught.value.headers["x-line-accepted-request-id"]
    assert line.chat(SAKURA) == ["一"]


def test_M15_the_accepted_request_is_named(line: Line) -> None:
    pytest.importorskip("flask_lineconnect.emulator.call_log")
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    first = line.api.push_message_with_http_info(push_request(SAKURA), x_line_retry_key=key)
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    accepted = caught.value.headers["x-line-accepted-request-id"]
    assert accepted == first.headers["x-line-request-id"]
    assert accepted != caught.value.headers["x-line-request-id"]


def test_M15_a_multicast_repeats_no_ids(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    multicast(line, [SAKURA], key)

    with pytest.raises(ApiException) as caught:
        multicast(line, [SAKURA], key)

    assert error_of(caught) == (409, {"message": "The retry key is already accepted"})


def test_C3_a_key_is_consumed_even_if_nobody_was_reached(line: Line) -> None:
    key = str(uuid.uuid4())
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    assert caught.value.status == 409


def test_M16_a_retry_key_lives_for_a_day(line: Line) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    line.platform.clock.advance(86_401)
    line.token = stateless(line)
    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)

    assert len(line.chat(SAKURA)) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/bot/message/reply"),
        ("POST", "/v2/bot/message/validate/push"),
        ("GET", "/v2/bot/info"),
        ("GET", "/v2/bot/richmenu/list"),
        ("GET", "/v2/bot/channel/webhook/endpoint"),
    ],
)
def test_M18_a_retry_key_elsewhere_is_refused(line: Line, method: str, path: str) -> None:
    key = {"X-Line-Retry-Key": str(uuid.uuid4())}

    assert line.call(method, path, headers=key, json={"messages": [TEXT]}).status_code == 400


def test_C3_a_retry_key_is_a_uuid(line: Line) -> None:
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key="order-1001")

    assert caught.value.status == 400


@pytest.mark.parametrize("has_key", [True, False])
def test_M19_an_error_after_acceptance(line: Line, has_key: bool) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4()) if has_key else None
    fail(line, after_acceptance=True)
    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    assert caught.value.status == 500
    assert line.chat(SAKURA) == ["や"]

    if has_key:
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
        assert caught.value.status == 409
        assert line.chat(SAKURA) == ["や"]
    else:
        line.api.push_message(push_request(SAKURA))
        assert line.chat(SAKURA) == ["や", "や"]


@pytest.mark.parametrize("fault", [{}, {"after_acceptance": False}, {"times": 2, "status": 503}])
def test_M20_an_error_before_acceptance(line: Line, fault: dict[str, Any]) -> None:
    line.befriend(SAKURA)
    key = str(uuid.uuid4())
    fail(line, **fault)
    for _ in range(fault.get("times", 1)):
        with pytest.raises(ApiException) as caught:
            line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
        assert caught.value.status == fault.get("status", 500)
        assert line.chat(SAKURA) == []

    line.api.push_message(push_request(SAKURA), x_line_retry_key=key)
    assert line.chat(SAKURA) == ["や"]


def test_M19_a_refused_call_keeps_its_own_answer(line: Line) -> None:
    fail(line, after_acceptance=True)

    with pytest.raises(ApiException) as caught:
        line.api.push_message(push_request("x"))

    assert caught.value.status == 400
    assert len(line.platform.faults.all()) == 1


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


def test_M31_the_31st_short_lived_token_revokes_the_oldest(line: Line) -> None:
    channel = line.platform.world.messaging_channel

    def issue() -> str:
        line.platform.clock.advance(1)
        token: str = line.tokens.issue_channel_token(
            "client_credentials", channel.id, channel.secret
        ).access_token
        return token

    tokens = [issue() for _ in range(31)]

    with pytest.raises(TokenException) as caught:
        line.tokens.verify_channel_token(tokens[0])
    assert json.loads(caught.value.body) == {
        "error": "invalid_request",
        "error_description": "access_token invalid",
    }
    for token in tokens[1:]:
        found = line.tokens.verify_channel_token(token)
        assert (found.client_id, found.scope) == (channel.id, "P CM")
        assert 2_591_000 < found.expires_in <= 2_592_000


@pytest.mark.parametrize(
    ("client_id", "secret", "description"),
    [("9", "x", "invalid client_id"), ("1650000002", "x", "invalid client_secret")],
)
def test_C1_wrong_credentials(line: Line, client_id: str, secret: str, description: str) -> None:
    with pytest.raises(TokenException) as caught:
        line.tokens.issue_channel_token("client_credentials", client_id, secret)
    assert (caught.value.status, json.loads(caught.value.body)) == (
        400,
        {"error": "invalid_client", "error_description": description},
    )

    with pytest.raises(TokenException) as caught:
        line.tokens.issue_stateless_channel_token_by_client_secret(client_id, secret)
    assert (caught.value.status, json.loads(caught.value.body)) == (
        400,
        {"error": "invalid_request", "error_description": "Invalid 'client_credentials'."},
    )


def test_C1_a_stateless_token_is_not_revocable_and_not_verifiable(line: Line) -> None:
    line.tokens.revoke_channel_token(line.token)
    assert line.api.get_bot_info().basic_id == "@demoshop"
    with pytest.raises(TokenException):
        line.tokens.verify_channel_token(line.token)


def test_C1_revoking_an_unknown_token_is_no_error(line: Line) -> None:
    assert line.tokens.revoke_channel_token_with_http_info("unknown").status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status", "text"),
    [
        ("{'a'", "application/json", 400, "could not be parsed as JSON (line: 1, column: 2)"),
        ("[]", "application/json", 400, "could not be parsed as JSON (line: 1, column: 1)"),
        ("", "application/json", 400, "could not be parsed as JSON (line: 1, column: 1)"),
        ('{"to": "\\ud800"}', "application/json", 400, "could not be parsed as JSON"),
        ("[" * 100_000, "application/json", 400, "could not be parsed as JSON"),
        ("{}", "text/plain", 415, "The content type, text/plain, is not supported"),
    ],
)
def test_C2_a_body_that_is_no_json(
    line: Line, body: str, content_type: str, status: int, text: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = line.call("POST", PUSH, data=body, headers=headers)

    assert answer.status_code == status
    assert text in answer.json()["message"]


@pytest.mark.parametrize("kind", ["reply", "push", "multicast", "narrowcast", "broadcast"])
def test_M32_validating_has_no_effect(line: Line, kind: str) -> None:
    line.befriend(SAKURA)
    check = getattr(line.api, f"validate_{kind}")

    check(ValidateMessageRequest(messages=[TextMessage(text="や")]))
    empty = FlexMessage.from_dict(flex({"type": "carousel", "contents": []}))
    with pytest.raises(ApiException) as caught:
        check(ValidateMessageRequest(messages=[empty]))

    assert caught.value.status == 400
    assert line.chat(SAKURA) == []
    assert line.used() == 0
