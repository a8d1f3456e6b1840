"""S11.2: whatever happens to messages and events, no log line says to whom or what."""

from __future__ import annotations

import ast
import io
import logging
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from flask_lineconnect import LineApiError
from flask_lineconnect import log_floods
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.login.tokens import LoginTokenApi
from flask_lineconnect.login.tokens import LoginTokens
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from flask_lineconnect.webhooks.replier import Outgoing
from flask_lineconnect.webhooks.writer import EventWriter
from flask_lineconnect.webhooks.writer import NotWritten
from tests.conftest import MakeApp
from tests.engines.celery_fleet import follow
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import join as join
from tests.small_shop import db
from tests.small_shop import line as extension

ROOT = Path(__file__).parents[1]
TOKEN = "planted-channel-access-token"
TEXT = "planted text"
KEY = "planted-key"


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Collect what all loggers say at any level, tracebacks included."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_EveryField())
    logger = logging.getLogger("flask_lineconnect")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


class _EveryField(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)}"


def _check(line: LineState, log: io.StringIO) -> None:
    said = log.getvalue()
    assert said
    user_ids = [account.line_user_id for account in db.session.query(Account)]
    assert user_ids
    secrets = [value for key, value in line.app.config.items() if key.endswith("_SECRET")]
    for secret in (*user_ids, *secrets, TEXT, KEY, TOKEN):
        assert secret not in said


@pytest.mark.parametrize("status", [None, 400, 401, 409, 429, 500])
def test_S11_2_deliveries_tell_nothing_of_people(
    line: LineState, line_emulator: Emulator, join: Join, log: io.StringIO, status: int | None
) -> None:
    if status is None:
        line_emulator.fault(path="/v2/bot/message/*", drop=True, times=9)
    else:
        line_emulator.fault(path="/v2/bot/message/*", status=status, times=9)
    members = join(3)
    for member in members:
        extension.send(member, TEXT, key=f"{KEY}:{member.id}")
    extension.send(members[0], f"{TEXT} of one's own", key=KEY)
    db.session.commit()
    deliver_due(line)
    assert "lineconnect.line_called" in log.getvalue()
    _check(line, log)


def test_S11_2_a_database_that_fails_tells_no_values(
    line: LineState, join: Join, log: io.StringIO
) -> None:
    members = join(3)
    for member in members:
        extension.send(member, TEXT, key=f"{KEY}:{member.id}")
    db.session.commit()
    # Its writes fail from now on, with all that they were to write in their hands.
    db.session.execute(
        text(
            "CREATE TRIGGER broken BEFORE INSERT ON lineconnect_outbox_batch "
            "BEGIN SELECT RAISE(ABORT, 'broken'); END"
        )
    )
    db.session.commit()
    work_until_idle(line)
    db.session.rollback()
    assert "background work failed" in log.getvalue()
    assert "INSERT INTO lineconnect_outbox_batch" in log.getvalue()
    _check(line, log)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_S11_2_what_postgresql_quotes_is_nobodys_to_read(
    line: LineState, join: Join, log: io.StringIO, database: str
) -> None:
    """Its own words hold the values: keys, whole rows, the JSON that it could not read."""
    (member,) = join(1)
    account = db.session.query(Account).one()
    user_id, account_id = account.line_user_id, account.id
    extension.send(member, TEXT, key=KEY)
    db.session.commit()
    logger = logging.getLogger("flask_lineconnect.tests")

    failed: list[str] = []

    def note(act: Callable[[], object]) -> None:
        try:
            act()
        except (SQLAlchemyError, NotWritten) as error:
            logger.exception("it failed")
            failed.append(type(error).__name__)
        db.session.rollback()

    again = {"display_name": TEXT, "created_at": line.clock(), "session_generation": 0}
    note(lambda: db.session.execute(insert(Account).values(line_user_id=user_id, **again)))
    message = update(OutboxMessage).values(dedupe_key=KEY, category=None, messages=TEXT)
    note(lambda: db.session.execute(message))
    odd = text("SELECT 1 FROM lineconnect_account WHERE id = CAST(:text AS integer)")
    note(lambda: db.session.execute(odd, {"text": TEXT}))
    rows = [("1", user_id, f'{{"text": "{TEXT}\\u0000\0"}}', 0)]
    note(lambda: EventWriter(db.engine).write(rows, now=line.clock()))
    assert account_id
    assert failed == ["IntegrityError", "IntegrityError", "DataError", "NotWritten"]
    _check(line, log)


def test_a_flood_of_bad_requests_makes_few_lines(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    for _number in range(50):
        assert client.post("/line/webhook", data=b"{}").status_code == 400
    said = [one for one in caplog.messages if "without a valid signature" in one]
    assert len(said) == log_floods.MOST_LINES

    caplog.clear()
    monkeypatch.setattr(log_floods, "PERIOD", 0.0)
    client.post("/line/webhook", data=b"{}")
    [line] = [one for one in caplog.messages if "without a valid signature" in one]
    assert line.endswith("(and 40 lines like this one before)")


def test_S11_2_not_even_libraries_log_whom_or_what_at_any_level(
    line: LineState, line_emulator: Emulator, join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    join(1)
    user_id = db.session.query(Account).one().line_user_id
    # LINE's SDK quietens urllib3's loggers, but not those below them.
    with (
        caplog.at_level(logging.DEBUG, "linebot.v3.messaging.rest"),
        caplog.at_level(logging.DEBUG, "urllib3.connectionpool"),
    ):
        line.part(LineApi).profile(user_id)
        line.part(LineApi).quota()
        with suppress(LineApiError):
            line.part(LoginTokenApi).is_alive(LoginTokens(TOKEN, TOKEN, 0, 0))
    said = caplog.text
    assert "/v2/bot/profile/U…" in said
    assert "access_token=…" in said
    assert "response body: " in said
    for secret in (user_id, user_id[:12], TOKEN, "displayName"):
        assert secret not in said


def test_S11_2_asyncios_debug_mode_logs_no_reply() -> None:
    reply = Outgoing(f'{{"replyToken": "{TOKEN}", "messages": ["{TEXT}"]}}'.encode(), print)
    assert TOKEN[:6] not in repr(reply)


#: Where requests of strangers make lines; hooks and sending make theirs by what was let in.
REACHED = ("liff", "login", "web")


@pytest.mark.parametrize("folder", REACHED)
def test_every_logger_that_strangers_reach_is_bounded(folder: str) -> None:
    for path in (ROOT / "flask_lineconnect" / folder).glob("*.py"):
        calls = {
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        }
        if calls & {"logger.warning", "logger.error", "logger.exception"}:
            assert f"flask_lineconnect.{folder}.{path.stem}" in log_floods.LOGGERS
        assert not any(call.startswith("current_app.logger.") for call in calls), path


def test_a_flood_of_whatever_makes_few_lines(
    app: Flask,
    line_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_floods, "PERIOD", 3_600.0)
    caplog.set_level(logging.INFO)
    line_emulator.fault(path="/*", status=500, times=10_000)
    client = app.test_client()
    for _number in range(12):
        for rule in app.url_map.iter_rules():
            if rule.endpoint.startswith("lineconnect.") and not rule.arguments:
                for method in {"GET", "POST"} & (rule.methods or set()):
                    odd = {"code": "x", "state": "x", "error": "x", "source": "\x00"}
                    client.open(
                        rule.rule, method=method, query_string=odd, data=b"{", buffered=True
                    )
    of_a_kind = Counter((one.name, one.msg) for one in caplog.records)
    assert of_a_kind
    for kind, count in of_a_kind.items():
        assert count <= log_floods.MOST_LINES, kind


def test_the_shops_own_statements_keep_their_values(line: LineState) -> None:
    with pytest.raises(SQLAlchemyError, match="seen"):
        db.session.execute(text("SELECT * FROM missing WHERE name = :name"), {"name": "seen"})


def test_S11_2_webhooks_and_hooks_tell_nothing_of_people(
    app: Flask, line: LineState, line_emulator: Emulator, join: Join, log: io.StringIO
) -> None:
    join(1)
    user_id = db.session.query(Account).one().line_user_id
    follow(app, user_id)
    line.session.rollback()
    work_until_idle(line)
    line_emulator.fault(path="/v2/bot/message/reply", status=400, times=9)
    log.write("something was done")
    _check(line, log)


def test_S1_7_lines_own_words_stay_out_of_the_log(line: LineState, line_emulator: Emulator) -> None:
    line_emulator.fault(path="/v2/bot/message/quota", status=403, times=1)
    with pytest.raises(LineApiError) as error:
        line.part(LineApi).quota()
    assert error.value.text == "LINE refused to get the quota: 403"
    assert len(str(error.value)) > len(error.value.text)


def test_log_lines_have_fields_beside_their_text(
    line: LineState, join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    (member,) = join(1)
    extension.send(member, TEXT)
    db.session.commit()
    with caplog.at_level(logging.INFO, "flask_lineconnect"):
        deliver_due(line)
    fields = vars(next(one for one in caplog.records if getattr(one, "endpoint", "") == "push"))
    assert fields["event"] == "lineconnect.line_called"
    assert fields["status"] == 200
    assert fields["line_request_id"]
    assert fields["milliseconds"] >= 0


LOGGING_CALLS = {
    f"logger.{method}"
    for method in ("debug", "info", "warning", "error", "exception", "critical", "log")
}


@pytest.mark.parametrize("folder", ["outbox", "line_api", "engines"])
def test_every_log_line_about_sending_has_fields(folder: str) -> None:
    found = 0
    for path in (ROOT / "flask_lineconnect" / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in LOGGING_CALLS:
                found += 1
                assert "extra" in {keyword.arg for keyword in node.keywords}, (path, node.lineno)
    assert found
