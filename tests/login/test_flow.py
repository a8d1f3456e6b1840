"""Return addresses stay on our host, and an attempt counts once."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest

from flask_lineconnect.errors import Refused
from flask_lineconnect.linking.accounts import ensure_account
from flask_lineconnect.login import flow
from flask_lineconnect.login.decide import Intent
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
USER = "U" + "a" * 32


@pytest.mark.parametrize("path", ["/", "/orders/3?tab=2", "/a#b", "/a?b&b=&c=%20+%2B"])
def test_a_path_of_our_own_is_kept(path: str) -> None:
    assert flow.local_path(path) == path


def test_other_letters_are_kept_as_they_are_sent() -> None:
    assert flow.local_path("/検索?q=お茶") == ("/%E6%A4%9C%E7%B4%A2?q=%E3%81%8A%E8%8C%B6")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a?openExternalBrowser=1", "/a"),
        ("/a?b=1&openExternalBrowser=1&c=2", "/a?b=1&c=2"),
        ("/a?openInAppBrowser=0&b=1#d", "/a?b=1#d"),
        ("/a?b=openExternalBrowser=1", "/a?b=openExternalBrowser=1"),
    ],
)
def test_what_line_reads_off_an_address_is_not_kept(path: str, kept: str) -> None:
    assert flow.local_path(path) == kept


def test_a_source_is_a_short_printable_label() -> None:
    assert flow.source_label("棚3") == "棚3"
    assert flow.source_label("x" * 300) == "x" * 100
    assert [flow.source_label(odd) for odd in ("", None, "a\0b", "a\nb")] == [None] * 4


@pytest.mark.parametrize(
    "target",
    [
        None,
        5,
        "",
        "orders",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "https:shop",
        "/" + "a" * 600,
        "http://[bad",
        "/line/liff/../1234567890-EvilEvil",
        "/line/liff/%2e%2E/1234567890-EvilEvil",
        "/orders/.",
    ],
)
def test_S4_4_any_other_target_is_dropped(target: object) -> None:
    assert flow.local_path(target) is None


@on_both
def test_S2_3_an_attempt_counts_once(line: LineState) -> None:
    flow.consume(line.session, "state", intent=Intent.LOGIN, now=NOW)
    with pytest.raises(Refused) as refusal:
        flow.consume(line.session, "state", intent=Intent.LOGIN, now=NOW)
    assert refusal.value.step == "state"


def _held_handle(line: LineState) -> str:
    flow.consume(line.session, "state", intent=Intent.LINK, now=NOW)
    account = ensure_account(line.session, USER, now=NOW)
    return flow.hold(line.session, "state", account, email=None)


@on_both
def test_what_waits_is_found_by_its_handle(line: LineState) -> None:
    handle = _held_handle(line)
    waiting = flow.held(line.session, handle, intent=Intent.LINK, now=NOW)
    assert waiting.account.line_user_id == USER


@on_both
@pytest.mark.parametrize(
    ("handle", "intent", "later"),
    [
        ("foreign", Intent.LINK, timedelta(0)),
        (None, Intent.LINK, timedelta(0)),
        (..., Intent.LOGIN, timedelta(0)),
        (..., Intent.LINK, timedelta(minutes=10)),
    ],
)
def test_S3_3_nothing_else_finds_it(
    line: LineState, handle: object, intent: Intent, later: timedelta
) -> None:
    right = _held_handle(line)
    with pytest.raises(Refused):
        flow.held(line.session, right if handle is ... else handle, intent=intent, now=NOW + later)
