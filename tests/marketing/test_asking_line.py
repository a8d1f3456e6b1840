"""LINE's own look at the messages of scenarios, and the places that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.line_api.http import LineHttp
from flask_lineconnect.line_api.validating import Complaint
from flask_lineconnect.line_api.validating import complaints_in
from flask_lineconnect.line_api.validating import validate
from flask_lineconnect.marketing.scenarios.asking_line import place_in
from flask_lineconnect.marketing.values import ValueType
from flask_lineconnect.messages.draft_data import Known
from flask_lineconnect.messages.draft_data import read_draft
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import MakeApp
from tests.outbox.conftest import BASE_URL

#: As LINE's Flex has it, but for its direction.
FLEX = '{"type": "bubble", "direction": "%s", "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "{{ total }}"}]}}'  # noqa: E501


@pytest.fixture
def blueprint(tmp_path: Path) -> LineBlueprint:
    """Return scenarios of which we find nothing wrong."""
    shop = LineBlueprint("shop", __name__, root_path=str(tmp_path))
    shop.member_event("order.placed", label="", facts={"total": Fact(int, "")})
    replies = [{"label": "残高", "text": "残高"}]
    for name, message in {
        "fine": {"ja": "{{ total }}円です。", "en": "{{ total }} yen."},
        "replies": {"text": "{{ total }}円です。", "quick_replies": replies},
        "flex": {"flex": FLEX % "sideways", "alt_text": "ご注文"},
        "several": ["{{ total }}円です。", {"flex": FLEX % "up", "alt_text": "ご注文"}],
    }.items():
        message = {"text": message} if name == "fine" else message
        shop.scenario(
            name,
            label="ご注文",
            starts_on="order.placed",
            key="subject",
            again="per key",
            category="order",
            steps=[{"name": "thanks", "message": message}],
        )
    return shop


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, blueprint: LineBlueprint) -> Flask:
    """Return the small shop with these scenarios, joined to the emulator."""
    app = make_app(**line_emulator.settings(BASE_URL))
    app.register_blueprint(blueprint)
    return app


def run(app: Flask, *words: str) -> tuple[int, str]:
    """Check scenarios by the command."""
    answer = app.test_cli_runner().invoke(commands, ["scenario", "check", *words])
    return answer.exit_code, answer.output


def asked(emulator: Emulator) -> int:
    """Return how often LINE was asked."""
    paths = [call["path"] for call in emulator.calls()]
    assert not [
        path for path in paths if path.endswith(("/push", "/multicast")) and "validate" not in path
    ]
    return paths.count("/v2/bot/message/validate/push")


def test_without_the_option_line_is_not_asked(app: Flask, line_emulator: Emulator) -> None:
    assert run(app)[0] == 0
    assert asked(line_emulator) == 0


def test_what_line_refuses_is_told_with_its_place(app: Flask, line_emulator: Emulator) -> None:
    code, said = run(app, "--ask-line", "--json")
    assert code == 1
    problems = {one["place"]: one["problem"] for one in json.loads(said)}
    assert list(problems) == [
        "flex.steps.thanks.message.flex/direction (ja)",
        "several.steps.thanks.message[1].flex/direction (ja)",
    ]
    assert all(problem.startswith("LINE says: ") for problem in problems.values())


def test_each_wording_is_asked_about_once(app: Flask, line_emulator: Emulator) -> None:
    code, said = run(app, "fine", "--ask-line")
    assert (code, said.strip()) == (0, "Nothing is wrong with fine.")
    # Japanese, which the languages without a wording have, too; and English.
    assert asked(line_emulator) == 2
    assert run(app, "replies", "--ask-line")[0] == 0


def test_that_line_did_not_say_is_told(app: Flask, line_emulator: Emulator) -> None:
    line_emulator.fault(path="/v2/bot/message/validate/push", status=500, times=5)
    code, said = run(app, "fine", "--ask-line")
    assert code == 1
    assert "Error: LINE refused to validate messages: 500" in said
    line_emulator.clear_faults()
    line_emulator.fault(path="/v2/bot/message/validate/push", drop=True, times=5)
    code, said = run(app, "fine", "--ask-line")
    assert code == 1
    assert "Error: LINE did not answer" in said


def test_a_token_that_line_took_back_is_asked_for_anew(
    line: LineState, line_emulator: Emulator
) -> None:
    http, token = line.part(LineHttp), line.part(LineApi).messaging_token
    messages = [{"type": "text", "text": "a"}]
    assert validate(http, token, messages) == ()
    line_emulator.fault(path="/v2/bot/message/validate/push", status=401, times=1)
    assert validate(http, token, messages) == ()


#: In the shapes that LINE's answers have.
ANSWERS: dict[str, tuple[dict[str, Any], list[Complaint]]] = {
    "from the root": (
        {
            "message": "The request body has 2 error(s)",
            "details": [
                {"message": "May not be empty", "property": "messages[0].text"},
                {"message": "too long", "property": "messages[1].quickReply.items[3].action"},
            ],
        },
        [
            Complaint(0, "text", "May not be empty"),
            Complaint(1, "quickReply.items[3].action", "too long"),
        ],
    ),
    "in the message": (
        {
            "message": "A message (messages[0])\u00a0in the request body is invalid",
            "details": [
                {"message": "invalid uri", "property": "/footer/contents/0/action/uri"},
                {"message": "invalid uri scheme", "property": "template/actions/0/uri"},
            ],
        },
        [
            Complaint(0, "/footer/contents/0/action/uri", "invalid uri"),
            Complaint(0, "template/actions/0/uri", "invalid uri scheme"),
        ],
    ),
    "about the list": (
        {
            "message": "The request body has 1 error(s)",
            "details": [{"message": "Size must be between 1 and 5", "property": "messages"}],
        },
        [Complaint(None, "messages", "Size must be between 1 and 5")],
    ),
    "a sentence": (
        {"message": "sender.name length is invalid"},
        [Complaint(None, "", "sender.name length is invalid")],
    ),
    "without words": (
        {"message": "The request body has 1 error(s)", "details": [{"property": "messages[0]"}]},
        [Complaint(0, "", "The request body has 1 error(s)")],
    ),
    "without a place": (
        {"message": "x", "details": [{"message": "Too large flex message."}]},
        [Complaint(None, "", "Too large flex message.")],
    ),
    "odd": (
        {"message": 7, "details": ["x", {"message": [], "property": {}}]},
        [Complaint(None, "", "LINE does not say why")],
    ),
    "empty": ({}, [Complaint(None, "", "LINE does not say why")]),
}


@pytest.mark.parametrize("shape", ANSWERS)
def test_each_shape_of_answer_is_read(shape: str) -> None:
    content, complaints = ANSWERS[shape]
    assert list(complaints_in(content)) == complaints


KNOWN = Known({"total": ValueType(int)}, products=["favourites"], coupons=["gift"])
BUTTON = {"label": "見る", "url": "/x"}
DRAFTS: dict[str, Any] = {
    "text": "こんにちは",
    "flex": {"flex": "{}", "alt_text": "代わり"},
    "products": {"products": "favourites", "alt_text": "代わり", "button": "見る"},
    "coupon": {"coupon": "gift", "alt_text": "代わり", "button": BUTTON},
    "note": {"text": "こんにちは", "button": BUTTON},
}


@pytest.mark.parametrize(
    ("kind", "path", "place"),
    [
        ("text", "text", ".text"),
        ("text", "", ""),
        ("text", "quickReply.items[3].action", ".quick_replies[3]"),
        ("text", "quickReply.items[3].action.uri", ".quick_replies[3].url"),
        ("text", "quickReply.items[0].action.label", ".quick_replies[0].label"),
        ("flex", "altText", ".alt_text"),
        ("flex", "/body/contents/0/text", ".flex/body/contents/0/text"),
        ("flex", "contents.body.contents[0].text", ".flex/body/contents/0/text"),
        ("flex", "/", ".flex/"),
        ("products", "/contents/1/hero/url", ".products"),
        ("products", "/footer/contents/0/action/label", ".button"),
        ("products", "altText", ".alt_text"),
        ("coupon", "/body/contents/0/text", ".coupon"),
        ("coupon", "/footer/contents/0/action/uri", ".button"),
        ("note", "altText", ".text"),
        ("note", "/footer/contents/0/action/uri", ".button"),
    ],
)
def test_a_place_of_lines_is_one_of_the_owners(kind: str, path: str, place: str) -> None:
    assert place_in(read_draft(DRAFTS[kind], KNOWN), path) == place
