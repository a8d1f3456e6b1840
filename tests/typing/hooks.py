"""Every kind of hook, with the types that a shop's editor shows."""

from __future__ import annotations

import re
from typing import assert_type

from linebot.v3.messaging import TextMessage as SdkTextMessage

from flask_lineconnect import PASS_ON
from flask_lineconnect import ButtonsMessage
from flask_lineconnect import Dialogue
from flask_lineconnect import Event
from flask_lineconnect import FollowEvent
from flask_lineconnect import LineBlueprint
from flask_lineconnect import PostbackAction
from flask_lineconnect import PostbackEvent
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import TextMessage
from flask_lineconnect import begin_dialogue
from flask_lineconnect import postback_for
from flask_lineconnect import render_message
from flask_lineconnect import require_member
from tests.small_shop import User

chat = LineBlueprint("typed", __name__)


@chat.on_text("残高", "balance")
@require_member
def text(event: TextEvent, member: User) -> Reply:
    """Return a text."""
    assert_type(event.text, str)
    return member.name


@chat.on_text(re.compile(r"注文 ?(\d+)"))
def several(event: TextEvent) -> Reply:
    """Return messages of ours and of the SDK's."""
    return ["はい", TextMessage("どうぞ"), SdkTextMessage(text="SDK")]


@chat.on_postback("/orders/<int:order_id>")
def tapped(event: PostbackEvent, order_id: int) -> Reply:
    """Take a typed variable, return buttons."""
    assert_type(event.data, str)
    data = postback_for("typed.tapped", order_id=order_id)
    return ButtonsMessage("もう一度？", actions=[PostbackAction("はい", data)])


@chat.on_follow
def followed(event: FollowEvent) -> Reply:
    """Return a rendered template."""
    return render_message("greeting.json")


@chat.on_text("予約")
def begin(event: TextEvent) -> Reply:
    """Begin a dialogue."""
    begin_dialogue(event, "booking", step="day")
    return "いつですか？"


@chat.on_dialogue("booking", "day")
def day(event: Event, dialogue: Dialogue) -> Reply:
    """Go on with a dialogue, or pass on."""
    if not isinstance(event, TextEvent):
        return PASS_ON
    assert_type(event.text, str)
    dialogue.go("hour", day=event.text)
    return None


@chat.on_fallback
def otherwise(event: Event) -> Reply:
    """Return nothing."""
    assert_type(event.line_user_id, str | None)
    return None


# A hook is called like a function.
assert_type(several(TextEvent(text="注文 3")), Reply)
assert_type(text(TextEvent(text="残高"), User(name="さくら")), Reply)
