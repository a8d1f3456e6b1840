"""A reply that LINE refuses is logged as what it is, with LINE's words and nobody's text."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_lineconnect import LineBlueprint
from flask_lineconnect import RawMessage
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect.testing.plugin import Emulator
from tests.neighbours.journey import OpenChat


@pytest.fixture
def app(joined_app: Flask) -> Flask:
    """Return the small shop with a hook whose answer LINE does not take."""
    odd = LineBlueprint("odd", __name__)

    @odd.on_text("変な返事")
    def answer(event: TextEvent) -> Reply:
        action = {"type": "message", "label": "a", "text": "b"}
        # LINE takes 160 characters here.
        template = {"type": "buttons", "text": "ひみつ" * 100, "actions": [action]}
        return RawMessage({"type": "template", "altText": "ひみつの文", "template": template})

    joined_app.register_blueprint(odd)
    return joined_app


def test_LINEs_words_and_the_place_are_in_the_log(
    app: Flask, line_emulator: Emulator, line_chat: OpenChat, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["LINECONNECT_LATE_ANSWERS_PER_DAY"] = 1
    user_id = line_emulator.add_user("佐藤 さくら")
    assert line_chat(app, user_id).say("変な返事") == []
    (said,) = [one for one in caplog.messages if "refused the reply" in one]
    assert "400" in said
    assert "The request body has 1 error(s), because of messages[0]" in said, said
    assert "ひみつ" not in caplog.text
    # Nothing is late, and a push of the same would be refused as well.
    assert "too late" not in caplog.text
    assert not [call for call in line_emulator.calls() if call["path"].endswith("/push")]
