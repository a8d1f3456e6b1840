"""Every ``flask line`` command, found by walking: odd values, empty lists, JSON, no database."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from click.testing import Result
from flask import Flask

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import InboxEvent
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import Join
from tests.outbox.conftest import join as join
from tests.small_shop import db
from tests.small_shop import line as extension

Words = tuple[str, ...]

#: How each command is called where all is well; a new command needs a line here.
USES: dict[Words, Sequence[str]] = {
    ("campaign", "begin"): ["autumn", "--yes"],
    ("campaign", "cancel"): ["spring"],
    ("campaign", "check"): ["autumn"],
    ("campaign", "copy"): ["autumn", "winter"],
    ("campaign", "list"): [],
    ("campaign", "pause"): ["autumn"],
    ("campaign", "plan"): ["autumn", "--file", "autumn.toml"],
    ("campaign", "plans"): [],
    ("campaign", "resume"): ["autumn"],
    ("campaign", "test"): ["autumn", "1"],
    ("campaign", "results"): ["spring"],
    ("db", "check"): [],
    ("db", "upgrade"): [],
    ("doctor",): ["--offline"],
    ("emulator",): [],
    ("erase",): ["1"],
    ("events",): [],
    ("friends", "count"): [],
    ("friends", "fetch"): [],
    ("friends", "import"): ["ids.csv"],
    ("friends", "invite"): ["--yes"],
    ("inbox", "list"): [],
    ("inbox", "replay"): ["event"],
    ("inbox", "show"): ["event"],
    ("init",): ["--dry-run"],
    ("links",): [],
    ("outbox", "cancel"): ["m1"],
    ("outbox", "deliver"): [],
    ("outbox", "list"): [],
    ("outbox", "retry"): ["m1"],
    ("outbox", "show"): ["m1"],
    ("privacy", "report"): [],
    ("quota",): [],
    ("report", "cohorts"): [],
    ("report", "month"): [],
    ("report", "rfm"): [],
    ("results", "check"): [],
    ("results", "line"): [],
    ("results", "recount"): [],
    ("results", "windows"): ["spring"],
    ("resume",): [],
    ("richmenu", "diff"): [],
    ("richmenu", "draw"): ["members", "members.png"],
    ("richmenu", "list"): [],
    ("richmenu", "rollback"): [],
    ("richmenu", "sync"): [],
    ("scenario", "check"): [],
    ("scenario", "list"): [],
    ("scenario", "pause"): ["cart"],
    ("scenario", "publish"): ["cart"],
    ("scenario", "rehearse"): ["cart"],
    ("scenario", "results"): ["cart"],
    ("scenario", "resume"): ["cart"],
    ("scenario", "runs"): ["cart"],
    ("scenario", "show"): ["cart"],
    ("scenario", "stop"): ["cart"],
    ("segment", "count"): ["vip"],
    ("segment", "list"): [],
    ("segment", "remove"): ["vip"],
    ("segment", "sample"): ["vip"],
    ("segment", "save"): ["vip", "rule.json"],
    ("settings",): [],
    ("setup",): [],
    ("store-qr",): ["shelf"],
    ("unlink",): ["1"],
    ("worker",): [],
}
#: What the owner might save.
RULE = '{"all": []}'
CAMPAIGN = '[autumn]\nlabel = "秋"\nto = "linked"\nmessage = "新茶"\n'
IDS = "U00000000000000000000000000000abc"
#: Other programs in this one's place, and what ends only when it is told to.
APART = {("emulator",), ("worker",)}
#: What a shop declares in code; the small one declares none.
DECLARED = {path for path in USES if path[0] in {"scenario", "richmenu"}}
ASKS_LINE_FIRST = ("friends", "fetch")
OF_RUNS = {("scenario", word) for word in ("list", "pause", "results", "resume", "runs", "stop")}
OF_RUNS |= {("richmenu", word) for word in ("list", "rollback", "sync")}
#: The small shop says of no event that it is an order.
HAS_NO_ORDERS = ("results", "recount")
ASIDE = {("emulator",), ("init",), ("settings",), ("store-qr",), ASKS_LINE_FIRST, HAS_NO_ORDERS}
ASIDE |= {("privacy", "report")}
NEED_NO_DATABASE = {*ASIDE, *(DECLARED - OF_RUNS)}
LISTS = [path for path in USES if path[-1] in {"events", "links", "list", "plans"}]
KEPT = [path for path in LISTS if path not in DECLARED]
SHOWN = [*KEPT, ("friends", "count"), ("inbox", "show"), ("outbox", "show"), ("quota",)]

NUMBERS = [
    "0",
    "-1",
    "1.5",
    "1e9",
    "nan",
    "",
    "９",
    str(2**31),
    str(2**63),
    str(10**30),
    "9" * 5_000,
]
TEXTS = [
    "",
    " ",
    "\udcff",
    "\0",
    "\x1b[31m",
    "\u202e",
    "😀",
    "%s%d",
    "{0}{x}",
    "'; --",
    "..",
    "-1",
    "m" + "9" * 18,
    "b" + "9" * 18,
    "m９",
    "9" * 5_000,
    "x" * 100_000,
    "x=" + "[" * 100_000,
    "x=" + "9" * 5_000,
    "x=\udcff",
]


def _leaves(group: click.Group, before: Words = ()) -> Iterator[tuple[Words, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _leaves(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS = dict(_leaves(commands))


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator) -> Flask:
    """Return the small shop, joined to the emulator."""
    return make_app(**line_emulator.settings(BASE_URL))


def _run(app: Flask, path: Words, *arguments: str, **more: Any) -> Result:
    return app.test_cli_runner(**more).invoke(commands, [*path, *arguments])


def _check(result: Result, call: Sequence[str]) -> None:
    """Check that a command ended with a sentence, if it did not end well."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(f"{call}: {result.exception!r}") from result.exception
    assert "Traceback" not in result.output
    if result.exit_code:
        assert "Error: " in result.output, call


def _odd_calls(path: Words) -> Iterator[Sequence[str]]:
    """Return calls of a command in which one value is odd, and the others are as they should be."""
    usual = USES[path]
    for parameter in COMMANDS[path].params:
        is_number = isinstance(parameter.type, click.IntRange)
        for odd in NUMBERS if is_number else TEXTS:
            if isinstance(parameter, click.Argument):
                yield ["--", odd]
            elif isinstance(parameter, click.Option) and not parameter.is_flag:
                yield [parameter.opts[0], odd, *usual]


def test_each_command_is_in_the_table() -> None:
    assert set(USES) == set(COMMANDS)


def test_each_list_can_be_had_as_json() -> None:
    for path in SHOWN:
        assert "--json" in {name for one in COMMANDS[path].params for name in one.opts}, path


@pytest.mark.parametrize("database", DATABASES, indirect=True)
@pytest.mark.parametrize("path", [path for path in USES if path not in APART], ids="-".join)
def test_odd_values_end_with_a_sentence(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: Words, database: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rule.json").write_text(RULE)
    (tmp_path / "ids.csv").write_text(f"{IDS}\n")
    (tmp_path / "autumn.toml").write_text(CAMPAIGN, "utf-8")
    for call in _odd_calls(path):
        _check(_run(app, path, *call), (*path, *call))


def test_the_worker_wants_a_port_that_is_free(app: Flask) -> None:
    for odd in set(NUMBERS) - {"９"}:
        result = _run(app, ("worker",), "--metrics-port", odd)
        _check(result, ("worker", odd))
        assert result.exit_code == 2
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = _run(app, ("worker",), "--metrics-port", port)
    _check(result, ("worker", port))
    assert port in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "output", ["nowhere/code.svg", "folder.svg", "file/code.svg", "\0.svg", "x" * 300 + ".svg"]
)
def test_a_file_that_cannot_be_written_is_said(app: Flask, tmp_path: Path, output: str) -> None:
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").write_text("")
    result = _run(app, ("store-qr",), "shelf", "--output", str(tmp_path / output))
    _check(result, ("store-qr", output))
    assert result.exit_code in {1, 2}


@pytest.mark.parametrize("path", LISTS, ids="-".join)
def test_a_list_of_nothing_says_so(app: Flask, path: Words) -> None:
    result = _run(app, path)
    assert result.exit_code == 0
    assert result.output.strip().endswith(".")
    assert len(result.output.splitlines()) == 1
    assert json.loads(_run(app, path, "--json").output) == []


@pytest.fixture
def filled(app: Flask, line: LineState, join: Join) -> Flask:
    """Return the shop with one of everything."""
    (member,) = join(1)
    extension.send(member, "お知らせ")
    extension.begin_campaign("春\u3000sale", "sale")
    extension.campaigns.plan("autumn", label="秋", to="linked", message="新茶")
    db.session.flush()
    message = db.session.query(OutboxMessage).first()
    assert message is not None
    message.error = "first line\nsecond line"
    now = line.clock()
    times = {"occurred_at": now, "received_at": now, "finished_at": now}
    audience.save_segment(line, "vip", "VIP", read_rule(json.loads(RULE)))
    db.session.add(InboxEvent(webhook_event_id="event", payload="{}", state="dead", **times))
    db.session.commit()
    return app


@pytest.mark.parametrize("path", KEPT, ids="-".join)
def test_a_list_has_headings_which_are_the_keys_of_its_json(filled: Flask, path: Words) -> None:
    heading, *rows = _run(filled, path).output.splitlines()
    assert rows
    found = json.loads(_run(filled, path, "--json").output)
    assert found
    assert heading.split() == " ".join(found[0]).split()


@pytest.mark.parametrize("path", SHOWN, ids="-".join)
def test_what_is_shown_can_be_read_by_a_program(filled: Flask, path: Words) -> None:
    result = _run(filled, path, *USES[path], "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)
    # Nor does a terminal that can't show everything end it with a traceback.
    for more in ([], ["--json"]):
        _check(_run(filled, path, *USES[path], *more, charset="ascii"), path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"all": ' * 20_000,
        b"9" * 5_000,
        b'{"all": NaN}',
    ],
)
@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_file_that_holds_no_rule_is_said(
    app: Flask, tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"rule.{suffix}"
    path.write_bytes(content)
    result = _run(app, ("segment", "save"), "vip", str(path))
    _check(result, ("segment", "save", suffix, repr(content[:20])))
    assert result.exit_code == 1


def _take_away(app: Flask) -> None:
    """Let the shop's database be gone."""
    with app.app_context():
        db.session.remove()
        url = db.engine.url
        db.engine.dispose()
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        path.unlink()
        path.mkdir()
        return
    server = url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(server.render_as_string(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{url.database}" WITH (FORCE)')


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_database_that_is_away_is_said(
    app: Flask, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take_away(app)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rule.json").write_text(RULE)
    (tmp_path / "ids.csv").write_text(f"{IDS}\n")
    (tmp_path / "autumn.toml").write_text(CAMPAIGN, "utf-8")
    for path in sorted(set(USES) - NEED_NO_DATABASE):
        result = _run(app, path, *USES[path])
        _check(result, path)
        assert result.exit_code == 1, path
        assert "database" in result.output, (path, result.output)
