"""``flask line campaign …`` from plan to end, as an owner types it."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.engines.work import SCHEDULE
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.outbox.conftest import BASE_URL as BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import app as app
from tests.outbox.conftest import clock as clock
from tests.outbox.conftest import join as join
from tests.outbox.conftest import settings as settings
from tests.outbox.conftest import texts

FILE = """
[autumn]
label = "秋の新茶"
to = "linked"
at = 2026-11-27T18:00:00
message = "新茶"

[wrong]
label = "誤り"
to = {segment = "nobody"}
message = "新茶"
"""


def _run(app: Flask, *words: str, code: int = 0, answer: str = "") -> str:
    result = app.test_cli_runner().invoke(commands, ["campaign", *words], input=answer)
    assert result.exit_code == code, result.output
    return result.output


def test_a_campaign_from_plan_to_end(
    app: Flask,
    line: LineState,
    line_emulator: Emulator,
    join: Join,
    clock: StoppedClock,
    tmp_path: Path,
) -> None:
    staff, customer = join(2)
    path = tmp_path / "campaigns.toml"
    path.write_text(FILE, "utf-8")
    said = _run(app, "plan", "autumn", "--file", str(path))
    assert said == "autumn is planned, version 1: draft.\n"
    assert "there is no" not in said
    told = json.loads(_run(app, "check", "autumn", "--json"))
    assert (told["chosen"], told["messages"], told["is_personal"]) == (2, 2, False)
    assert _run(app, "test", "autumn", str(staff.id)) == "1 messages are on their way.\n"
    deliver_due(line)
    assert (texts(line_emulator, staff), texts(line_emulator, customer)) == (["新茶"], [])

    asked = _run(app, "begin", "autumn", answer="n\n", code=1)
    assert "2 people are sent it. Equal messages, in batches" in asked
    assert _run(app, "begin", "autumn", "--yes") == "autumn begins at 2026-11-27 18:00 (JST).\n"
    assert _run(app, "pause", "autumn") == "autumn is paused.\n"
    assert _run(app, "resume", "autumn") == "autumn goes on.\n"
    clock.advance(hours=7)
    for do in SCHEDULE:
        do(line)
    deliver_due(line)
    assert texts(line_emulator, customer) == ["新茶"]
    assert "is finished" in _run(app, "cancel", "autumn", code=1)
    assert _run(app, "copy", "autumn", "winter") == "winter is a draft like autumn.\n"
    states = {one["name"]: one["state"] for one in json.loads(_run(app, "plans", "--json"))}
    assert states == {"winter": "draft", "autumn": "finished"}
    assert "winter is cancelled" in _run(app, "cancel", "winter")


def test_what_is_wrong_is_said_and_nothing_begins(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "campaigns.toml"
    path.write_text(FILE, "utf-8")
    _run(app, "plan", "wrong", "--file", str(path))
    assert "wrong.to.segment" in _run(app, "check", "wrong", code=1)
    assert "Error: wrong.to.segment" in _run(app, "begin", "wrong", "--yes", code=1)
    assert "has no campaign gone" in _run(app, "plan", "gone", "--file", str(path), code=1)
    assert "there is no campaign 'gone'" in _run(app, "begin", "gone", code=1)
