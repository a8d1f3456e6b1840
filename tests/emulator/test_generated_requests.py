"""Generated requests to every endpoint: never a traceback, and JSON wherever LINE speaks JSON."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from flask_lineconnect.emulator.app import create_app
from flask_lineconnect.emulator.platform import Platform
from flask_lineconnect.emulator.tokens.channel_tokens import issue

SAKURA = f"U{1:032x}"
#: Names and words that lead deep into the checks of a body.
NAMES = """
messages to type text replyToken altText contents template actions action data label uri columns
body header hero footer layout items quickReply sender name iconUrl emojis index substitution
baseUrl baseSize area width height x y bounds areas size selected chatBarText richMenuId userIds
operations from resumeRequestKey richMenuAliasId audiences id description audienceGroupId requestId
clickUrl recipient filter demographic oneOf gte lt and or not limit max customAggregationUnits
endpoint loadingSeconds chatId view url scope features botPrompt userAccessToken events user_id
source destination login_channel users liff_apps base_url path status times share webhook
delay_seconds display_name advance_seconds freeze keep_seconds mode displayText defaultAction
thumbnailImageUrl originalContentUrl previewImageUrl video subLiffId mainLiffId mstChallenge msit
redirect_uri code client_id grant_type id_token effect percent
""".split()  # noqa: SIM905  # A list of so many words is read by nobody.
WORDS = [
    "text", "textV2", "flex", "bubble", "carousel", "box", "button", "buttons", "confirm", "image",
    "imagemap", "sticker", "location", "audio", "video", "coupon", "template", "postback", "uri",
    "message", "datetimepicker", "richmenuswitch", "operator", "audience", "redelivery", "gender",
    "age", "link", "unlink", "vertical", "baseline", "https://a.example/", "http://[", SAKURA,
    "richmenu-1", "authorization_code", "refresh_token", "client_credentials", "ja", "", "{a}", "$",
    "\ud83c\udf4e", "￿", "é" * 40,
]  # fmt: skip

words = st.one_of(st.sampled_from(WORDS), st.text(max_size=30))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words, st.just(2**70)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), words), inner, max_size=6),
    ),
    max_leaves=25,
)
bodies = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), values, max_size=8).map(lambda one: json.dumps(one)),
    values.map(lambda one: json.dumps(one)),
    st.dictionaries(st.sampled_from(NAMES), words, max_size=8).map(
        lambda one: urlencode(one, errors="replace")
    ),
    st.text(max_size=60),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
raw_bodies = st.one_of(bodies, bodies, st.binary(max_size=60))
content_types = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "image/png",
        "text/plain",
        "nonsense",
    ]
)
queries = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["requestId", "date", "from", "to", "start", "limit", "page", "size", "url", "since",
             "access_token", "linkToken", "nonce", "client_id", "redirect_uri", "response_type",
             "scope", "state", "app_id", "customAggregationUnit", "liffId", "ott", "max_age"]
        ),
        words,
    ),
    words,
    max_size=5,
)  # fmt: skip
parts = st.one_of(
    st.sampled_from([SAKURA, "all", "richmenu-1", "1650000001-DemoCard", "1", "push", "text"]),
    st.text(min_size=1, max_size=12),
)


def _make() -> tuple[Flask, str, str]:
    platform = Platform()
    with platform.change() as world:
        world.messaging_channel.rate_limit_scale = None
        world.messaging_channel.webhook_url = None
        world.messaging_channel.narrowcast_seconds = 0
    app = create_app(platform)
    # A traceback is what is looked for; it must become a 500 as it does in a server.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        messaging = issue(world.messaging_channel.id, "stateless", 10**6).access_token
        login = issue(world.login_channel.id, "stateless", 10**6).access_token
    return app, messaging, login


APP, MESSAGING, LOGIN = _make()
#: Answered as long as somebody listens.
STREAMS = {"phone.tell_changes"}
ENDPOINTS = sorted(
    (f"{method} {rule.rule}", method, rule)
    for rule in APP.url_map.iter_rules()
    for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}
    if rule.endpoint not in STREAMS
)


@pytest.mark.parametrize(
    ("method", "rule"),
    [pytest.param(method, rule, id=name) for name, method, rule in ENDPOINTS],
)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(data=st.data())
def test_no_request_brings_a_traceback(method: str, rule: Rule, data: st.DataObject) -> None:
    arguments = {name: data.draw(parts) for name in rule.arguments}
    path = "".join(
        quote(arguments[part], safe="", errors="replace") if is_dynamic else part
        for is_dynamic, part in rule._trace  # Its own building refuses bad parts.
        if part != "|"
    )
    token = data.draw(st.sampled_from([MESSAGING, LOGIN, MESSAGING, "nonsense", "あ"]))
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    answer = _call(APP.test_client(), method, path, headers, data)

    assert answer.status_code < 500, answer.text[:2_000]
    if path.startswith(("/v2/", "/liff/v1/apps", "/_emulator/")) and answer.status_code >= 400:
        assert isinstance(answer.json, dict)
        assert answer.headers["x-line-request-id"]


def _call(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], data: st.DataObject
) -> Any:
    query = urlencode(data.draw(queries), errors="replace")
    body = data.draw(raw_bodies) if method != "GET" else b""
    answer = client.open(
        f"{path or '/'}?{query}",
        method=method,
        data=body,
        headers=headers,
        content_type=data.draw(content_types),
        buffered=True,
    )
    answer.close()
    return answer
