"""Which hook answers which event: every kind, prefixes, patterns, order, nesting, dialogues."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint
from flask import Flask

from flask_lineconnect import PASS_ON
from flask_lineconnect import Event
from flask_lineconnect import ImageEvent
from flask_lineconnect import LineBlueprint
from flask_lineconnect import PostbackEvent
from flask_lineconnect import TextEvent
from flask_lineconnect import UsageError
from flask_lineconnect import require_member
from flask_lineconnect.hooks.patterns import check_pattern
from flask_lineconnect.hooks.table import HookTable
from flask_lineconnect.hooks.table import fold
from flask_lineconnect.webhooks.parsing import parse_event
from tests.small_shop import User

USER = "U" + "a" * 32


def _parse(type_: str, **fields: Any) -> Event:
    source = {"type": "user", "userId": USER}
    return parse_event({"type": type_, "timestamp": 1_700_000_000_000, "source": source, **fields})


def _message(type_: str, **fields: Any) -> Event:
    return _parse("message", message={"type": type_, "id": "1", **fields})


def _names(app: Flask, event: Event, dialogue: tuple[str, str] | None = None) -> list[str]:
    """Return the functions that would be asked, in order."""
    hooks = app.extensions["lineconnect"].part(HookTable)
    found = hooks.find_all(event, dialogue=dialogue)
    return [one.hook.name.rpartition(".")[2] for one in found if ".hooks" not in one.hook.name]


def _hook(name: str) -> Callable[..., Any]:
    def hook(event: Event) -> str:
        return name

    hook.__name__ = name
    return hook


EVERY_KIND: list[tuple[str, Event]] = [
    ("image", _message("image")),
    ("video", _message("video", duration=1_500)),
    ("audio", _message("audio")),
    ("file", _message("file", fileName="a.txt", fileSize=3)),
    ("location", _message("location", latitude=35.1, longitude=139)),
    ("sticker", _message("sticker", packageId="1", stickerId="2")),
    ("follow", _parse("follow")),
    ("unfollow", _parse("unfollow")),
    ("unsend", _parse("unsend", unsend={"messageId": "7"})),
    ("join", _parse("join")),
    ("leave", _parse("leave")),
    ("member_joined", _parse("memberJoined", joined={"members": [{"userId": USER}, 5]})),
    ("member_left", _parse("memberLeft")),
    ("beacon", _parse("beacon", beacon={"hwid": "d4", "type": "enter"})),
    ("account_link", _parse("accountLink", link={"result": "ok", "nonce": "n"})),
    ("video_play_complete", _parse("videoPlayComplete", videoPlayComplete={"trackingId": "t"})),
    ("membership", _parse("membership", membership={"type": "joined", "membershipId": 3})),
]


@pytest.mark.parametrize(("kind", "event"), EVERY_KIND)
def test_every_kind_of_event_has_its_decorator(app: Flask, kind: str, event: Event) -> None:
    hooks = LineBlueprint("kinds", __name__)
    for name, _event in EVERY_KIND:
        getattr(hooks, f"on_{name}")(_hook(name))
    app.register_blueprint(hooks)
    assert _names(app, event) == [kind]


def test_fields_of_the_events_are_typed() -> None:
    image = _message("image", imageSet={"id": "E0", "index": 2, "total": 3})
    assert isinstance(image, ImageEvent)
    assert (image.set_id, image.index, image.total, image.is_on_line) == ("E0", 2, 3, True)
    fields = {kind: event for kind, event in EVERY_KIND}
    assert fields["member_joined"].line_user_ids == (USER,)  # type: ignore[attr-defined]
    assert fields["video"].duration.total_seconds() == 1.5  # type: ignore[attr-defined]
    assert fields["beacon"].kind == "enter"  # type: ignore[attr-defined]
    group = parse_event(
        {"type": "join", "timestamp": 1, "source": {"type": "group", "groupId": "C1"}}
    )
    assert (group.is_one_to_one, group.chat_id, group.line_user_id) == (False, "C1", None)


@pytest.mark.parametrize("odd", [None, 5, "x", [], {"type": 5}, {"id": None, "type": "image"}])
def test_W10_odd_fields_become_defaults(odd: object) -> None:
    for type_ in ("message", "postback", "beacon", "memberJoined", "membership", "new-type"):
        _parse(type_, **{key: odd for key in ("message", "postback", "beacon", "joined")})


def test_a_hook_is_called_like_a_function() -> None:
    def greet(event: TextEvent) -> str:
        return f"「{event.text}」ですね"

    assert greet(TextEvent(text="やあ")) == "「やあ」ですね"


def test_a_members_hook_is_called_like_a_function_with_a_member() -> None:
    hooks = LineBlueprint("more", __name__)

    @hooks.on_postback("/orders/<int:order_id>")
    @require_member
    def order(event: PostbackEvent, member: User, order_id: int) -> str:
        return f"{member.name} {order_id}"

    assert order(PostbackEvent(), User(name="さくら"), order_id=3) == "さくら 3"


def test_S7_7_no_variable_of_a_postback_stands_for_the_member(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)

    @hooks.on_postback("/as/<member>")
    @require_member
    def act(event: PostbackEvent, member: object) -> str:
        return "answered"

    app.register_blueprint(hooks)
    table = app.extensions["lineconnect"].part(HookTable)
    (found,) = table.find_all(_parse("postback", postback={"data": "/as/somebody"}))
    assert found.arguments == {"member": "somebody"}
    with app.test_request_context():
        assert found.hook.function(found.event, **found.arguments) != "answered"


def test_a_prefix_gives_the_rest(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    seen: list[str] = []

    @hooks.on_text("注文", "order", prefix=True)
    def order(event: TextEvent) -> None:
        seen.append(event.rest)

    app.register_blueprint(hooks)
    for text in ("注文　１２３", "ORDER 9", "注文"):
        (found, *_) = (
            app.extensions["lineconnect"].part(HookTable).find_all(_message("text", text=text))
        )
        found.hook.function(found.event)
    assert seen == ["123", "9", ""]
    assert _names(app, _message("text", text="再注文")) == []


def test_folding_can_be_switched_off(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text("OK", fold=False)(_hook("exact"))
    app.register_blueprint(hooks)
    assert _names(app, _message("text", text=" OK ")) == ["exact"]
    assert _names(app, _message("text", text="ok")) == []


@pytest.mark.parametrize(
    ("spelling", "written"),
    [("10〜20", "10～20"), ("K-12", "Ｋー１２"), (re.compile(r"(\d+)〜(\d+)人"), "２~３人")],
)
def test_signs_that_look_the_same_are_the_same(
    app: Flask, spelling: str | re.Pattern[str], written: str
) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text(spelling)(_hook("found"))
    app.register_blueprint(hooks)
    assert _names(app, _message("text", text=written)) == ["found"]


def test_the_order_is_as_written_and_the_fallback_comes_last(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_fallback(_hook("fallback"))
    hooks.on_any(_hook("first"))
    hooks.on_text("茶")(_hook("second"))
    hooks.on_event("message")(_hook("third"))
    app.register_blueprint(hooks)
    assert _names(app, _message("text", text="茶")) == ["first", "second", "third", "fallback"]
    assert _names(app, _parse("unfollow")) == ["first", "fallback"]


def test_hooks_nest_with_blueprints_and_their_names(app: Flask) -> None:
    parent, child = Blueprint("parent", __name__), LineBlueprint("child", __name__)
    child.on_text("入れ子")(_hook("nested"))
    child.on_postback("/go/<int:number>")(_hook("go"))
    parent.register_blueprint(child, name="renamed")
    app.register_blueprint(parent)
    table = app.extensions["lineconnect"].part(HookTable)
    (found,) = table.find_all(_message("text", text="入れ子"))
    assert found.hook.name == "parent.renamed.nested"
    assert table.postback_data("parent.renamed.go", number=3) == "/go/3"


def test_in_a_dialogue_its_hooks_go_first(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text()(_hook("ordinary"))
    hooks.on_dialogue("delivery")(_hook("any_step"))
    hooks.on_dialogue("delivery", "date")(_hook("date_step"))
    app.register_blueprint(hooks)
    text = _message("text", text="明日")
    assert _names(app, text) == ["ordinary"]
    assert _names(app, text, ("delivery", "")) == ["any_step", "ordinary"]
    assert _names(app, text, ("delivery", "date")) == ["any_step", "date_step", "ordinary"]
    assert _names(app, text, ("other", "")) == ["ordinary"]
    assert _names(app, _parse("follow"), ("delivery", "")) == []


def test_a_hook_may_pass_the_event_on() -> None:
    assert repr(PASS_ON) == "<PassOn.PASS_ON: 'pass on'>"


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*b", "(a|ab)*c", r"(\w*)*", "(.*x)+", "((a{1,99})b?)*", "(?=(a+)+)b"],
)
def test_S7_8_patterns_that_never_end_are_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="can take for ever"):
        LineBlueprint("more", __name__).on_text(re.compile(pattern))


@pytest.mark.parametrize(
    "pattern", [r"^注文 ?(\d+)$", "(a|b)*c", "(?:ab)+", r"(\d{1,4}-)*\d+", "(a++)+", "a*b*c*"]
)
def test_patterns_that_end_are_taken(pattern: str) -> None:
    check_pattern(re.compile(pattern))


def test_S7_8_long_texts_are_cut_after_folding() -> None:
    assert len(fold("ﷺ" * 5_000)) == 1_000
