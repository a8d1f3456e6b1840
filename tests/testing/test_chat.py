"""A person's chat with a shop whose machine is busy."""

from __future__ import annotations

import pytest

from flask_lineconnect.models.helpers import NotWritten
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.webhooks.writer import EventWriter

pytestmark = pytest.mark.joined


def test_what_could_not_be_stored_comes_again(
    chat: LineChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tries = EventWriter.write, []

    def fail_once(writer: EventWriter, *args: object, **kwargs: object) -> None:
        tries.append(args)
        if len(tries) == 1:
            raise NotWritten("the database does not answer")
        store(writer, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(EventWriter, "write", fail_once)
    chat.say("残高")
    assert len(tries) == 2
