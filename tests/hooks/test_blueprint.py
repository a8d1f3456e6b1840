"""Hooks: which one answers what, in which order, and what is refused at registration."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from typing import Any

import pytest
from flask import Blueprint
from flask import Flask

from flask_lineconnect import Event
from flask_lineconnect import FollowEvent
from flask_lineconnect import LineBlueprint
from flask_lineconnect import PostbackEvent
from flask_lineconnect import TextEvent
from flask_lineconnect import UsageError
from flask_lineconnect.hooks.table import HookTable
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp

COMMON: dict[str, Any] = {
    "webhook_event_id": "01FZ74A0TDDPYRVKNK77XKC3ZR",
    "occurred_at": datetime(2026, 8, 1, tzinfo=UTC),
}


def _text(text: str) -> TextEvent:
    return TextEvent(**COMMON, raw={"type": "message"}, text=text)


def _postback(data: str) -> PostbackEvent:
    return PostbackEvent(**COMMON, raw={"type": "postback"}, data=data)


def _answer(app: Flask, event: Event) -> object:
    line: LineState = app.extensions["lineconnect"]
    found = next(line.part(HookTable).find_all(event), None)
    return found and found.hook.function(found.event, **found.arguments)


def _register(app: Flask, *blueprints: Blueprint) -> Flask:
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


@pytest.mark.parametrize("text", ["Stock", "ＳＴＯＣＫ", " stock ", "在庫"])
def test_width_case_and_spaces_do_not_count(app: Flask, text: str) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text("stock", "在庫")(lambda event: "found")
    assert _answer(_register(app, hooks), _text(text)) == "found"


def test_a_pattern_gives_its_match(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)

    @hooks.on_text(re.compile(r"^注文 ?(\d+)$"))
    def order(event: TextEvent) -> str:
        assert event.match
        return event.match[1]

    assert _answer(_register(app, hooks), _text("注文　１２３")) == "123"


def test_the_first_match_in_the_order_written_answers(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text(re.compile("^a"))(lambda event: "pattern")
    hooks.on_text("apple")(lambda event: "exact")
    hooks.on_text()(lambda event: "anything")
    _register(app, hooks)
    assert [_answer(app, _text(text)) for text in ("apple", "pear")] == ["pattern", "anything"]


def test_the_same_text_twice_is_an_error(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text("残高")(lambda event: "again")
    with pytest.raises(
        UsageError, match=r"more\.<lambda> and hooks\.balance both answer the text '残高'"
    ):
        _register(app, hooks)


def test_a_postback_is_a_route_with_typed_variables(app: Flask) -> None:
    hooks = LineBlueprint("shop", __name__)

    @hooks.on_postback("/orders/<int:order_id>/reorder")
    def reorder(event: PostbackEvent, order_id: int) -> str:
        return f"order {order_id + 1}"

    _register(app, hooks)
    line: LineState = app.extensions["lineconnect"]
    data = line.part(HookTable).postback_data("shop.reorder", order_id=41)
    assert data == "/orders/41/reorder"
    assert _answer(app, _postback(data)) == "order 42"
    for other in ("/orders/x/reorder", "action=buy", "", "//"):
        assert _answer(app, _postback(other)) is None


@pytest.mark.parametrize(("name", "values"), [("shop.none", {}), ("shop.buy", {})])
def test_postback_data_that_no_hook_takes_is_an_error(
    app: Flask, name: str, values: dict[str, Any]
) -> None:
    hooks = LineBlueprint("shop", __name__)

    @hooks.on_postback("/buy/<int:product_id>")
    def buy(event: PostbackEvent, product_id: int) -> None:
        return None

    _register(app, hooks)
    with pytest.raises(UsageError):
        app.extensions["lineconnect"].part(HookTable).postback_data(name, **values)


def test_other_events_are_found_by_lines_name(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    hooks.on_follow(lambda event: "welcome")
    hooks.on_event("beacon")(lambda event: "near")
    _register(app, hooks)
    assert _answer(app, FollowEvent(**COMMON, raw={"type": "follow"})) == "welcome"
    assert _answer(app, Event(**COMMON, raw={"type": "beacon"})) == "near"
    assert _answer(app, Event(**COMMON, raw={"type": "join"})) is None


def test_hooks_follow_nested_blueprints(app: Flask) -> None:
    hooks = LineBlueprint("inner", __name__)

    @hooks.on_postback("/x")
    def press(event: PostbackEvent) -> str:
        return "pressed"

    outer = Blueprint("outer", __name__)
    outer.register_blueprint(hooks)
    _register(app, outer)
    assert app.extensions["lineconnect"].part(HookTable).postback_data("outer.inner.press") == "/x"


def test_late_hooks_are_refused_by_flask(app: Flask) -> None:
    hooks = LineBlueprint("more", __name__)
    _register(app, hooks)
    with pytest.raises(AssertionError, match="already been registered"):
        hooks.on_text("late")(lambda event: None)


def test_a_blueprint_before_the_extension_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"call line.init_app\(app\) before"):
        _register(Flask(__name__), _with_one_hook())


def _with_one_hook() -> LineBlueprint:
    hooks = LineBlueprint("more", __name__)
    hooks.on_text("x")(lambda event: None)
    return hooks


def test_two_apps_share_no_hooks(make_app: MakeApp) -> None:
    one, two = make_app(), make_app()
    _register(one, _with_one_hook())
    assert _answer(one, _text("x")) is None
    assert len(one.extensions["lineconnect"].part(HookTable).hooks) == 3
    assert len(two.extensions["lineconnect"].part(HookTable).hooks) == 2
