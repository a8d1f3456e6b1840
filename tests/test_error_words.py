"""S11.2: what is told of the shop's errors, and that no word of a person's is."""

from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Callable
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy import text

from flask_lineconnect import LineBlueprint
from flask_lineconnect import Reply
from flask_lineconnect import TextEvent
from flask_lineconnect import UsageError
from flask_lineconnect import signals
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.error_words import LEFT_OUT
from flask_lineconnect.error_words import for_log
from flask_lineconnect.error_words import said_of
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.shop.adapter import OwnerNotice
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks import outcomes
from tests.conftest import MakeApp
from tests.outbox.conftest import BASE_URL
from tests.small_shop import db

TEXT = "植木さくら、090-1234-5678"
points = LineBlueprint("points", __name__)


def _database(said: str) -> None:
    db.session.execute(text("SELECT * FROM missing WHERE name = :name"), {"name": said})


def _in_a_chain(said: str) -> None:
    try:
        int(said)
    except ValueError as error:
        try:
            raise LookupError(said) from error
        except LookupError:
            raise RuntimeError("it went on") from None


def _in_a_group(said: str) -> None:
    try:
        int(said)
    except ValueError as error:
        raise ExceptionGroup("several", [error, KeyError(said)]) from error


def _with_a_note(said: str) -> None:
    error = RuntimeError("it went wrong")
    error.add_note(said)
    raise error


def _in_code(said: str) -> None:
    compile(f"x = {said} {said}", "<said>", "exec")


def _raise(kind: type[BaseException], said: str) -> None:
    raise kind(said)


WAYS: dict[str, Callable[[str], object]] = {
    "int": int,
    "key": lambda said: dict[str, str]()[said],
    "attribute": lambda said: getattr(points, said),
    "bytes": lambda said: said.encode("ascii"),
    "decode": lambda said: json.loads("[" + said),
    "usage": lambda said: _raise(UsageError, f"no hook for {said}"),
    "exit": lambda said: _raise(SystemExit, said),
    "assert": lambda said: _raise(AssertionError, f"{said[::-1]} {said[:6]} {said.encode()!r}"),
    "database": _database,
    "chain": _in_a_chain,
    "group": _in_a_group,
    "note": _with_a_note,
    "code": _in_code,
}


@points.on_text()
def raises(event: TextEvent) -> Reply:
    """Raise in the way that comes before the colon."""
    way, _colon, said = event.text.partition(":")
    WAYS[way](said)
    return None


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the small shop with a hook that raises, and no time between its attempts."""
    monkeypatch.setattr(outcomes, "FIRST_BACKOFF", timedelta(0))
    settings = line_emulator.settings(BASE_URL)
    return make_app(after=[lambda app: app.register_blueprint(points)], **settings)


@pytest.fixture
def chat(app: Flask, line_chat: Callable[[Flask, str], LineChat], user_id: str) -> LineChat:
    """Open a person's chat with the shop."""
    return line_chat(app, user_id)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect what is logged, tracebacks included."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("way", WAYS)
def test_S11_2_what_a_hook_raises_says_nothing_of_people(
    app: Flask, line: LineState, chat: LineChat, log: io.StringIO, way: str
) -> None:
    chat.say(f"{way}:{TEXT}")
    row = line.session.scalars(select(InboxEvent)).one()
    assert row.error
    said = log.getvalue() + row.error
    assert "Traceback" in said
    assert "in raises" in said
    for piece in (
        TEXT,
        TEXT[:6],
        TEXT[::-1],
        "090-1234",
        "植木",
        "ueki@",
        repr(TEXT.encode())[3:9],
    ):
        assert piece not in said, said
    assert chat.user_id not in said


def _raised(kind: type[BaseException], act: Callable[[str], object]) -> BaseException:
    with pytest.raises(kind) as found:
        act(TEXT)
    return found.value


def test_what_stands_in_the_code_is_told() -> None:
    error = _raised(RuntimeError, _with_a_note)
    assert said_of(error).startswith("RuntimeError: it went wrong (tests.test_error_words:")
    assert said_of(error).endswith(" in _with_a_note)")
    assert "RuntimeError: it went wrong" in "".join(traceback.format_exception(for_log(error)))


def _literally(_said: str) -> None:
    raise ValueError(
        "植木さくら、090-1234-5678、ueki@example.com、U0123456789abcdef0123456789abcdef"
    )


def test_not_even_what_stands_in_the_code_tells_of_people() -> None:
    error = _raised(ValueError, _literally)
    assert "植木さくら、…" in said_of(error)
    for piece in ("1234", "@example", "0123456789abcdef"):
        assert piece not in said_of(error)
    payload = json.dumps({"message": {"type": "text", "text": "植木さくら"}})
    assert "植木" not in said_of(error, payload)


def test_what_is_not_told_has_its_kind_and_its_place() -> None:
    told = "".join(traceback.format_exception(for_log(_raised(ValueError, int))))
    assert f"ValueError: {LEFT_OUT}" in told
    assert "act(TEXT)" in told


def test_causes_that_go_in_a_circle_end() -> None:
    first, second = ValueError(TEXT), KeyError(TEXT)
    first.__context__, second.__context__ = second, first
    group = ExceptionGroup(TEXT, [first])
    first.__cause__ = group
    assert TEXT not in "".join(traceback.format_exception(for_log(group)))


def test_S11_2_receivers_and_the_shops_own_ways_say_nothing_of_people(
    app: Flask, line: LineState, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def receive(_app: Flask, **_more: object) -> None:
        raise ValueError(TEXT)

    def tell(_notice: OwnerNotice) -> None:
        raise ValueError(TEXT)

    from flask_lineconnect.after_commit import after_commit
    from flask_lineconnect.outbox.delivery import tell_owner

    monkeypatch.setattr(line.shop, "tell_owner", tell)
    with signals.owner_notified.connected_to(receive, app), app.app_context():
        tell_owner(line, [OwnerNotice("quota", "the quota is used up")])
        after_commit(line.session, lambda: receive(app))
        line.session.commit()
    work_until_idle(line)
    said = log.getvalue()
    assert said.count("Traceback") == 3
    assert said.count(f"ValueError: {LEFT_OUT}") == 3
    assert TEXT not in said


def test_in_debug_mode_the_log_has_the_whole_of_it(
    app: Flask, chat: LineChat, log: io.StringIO
) -> None:
    app.debug = True
    chat.say("int:seven")
    assert "invalid literal for int() with base 10: 'seven'" in log.getvalue()
