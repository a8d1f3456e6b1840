"""Friends of before: noted without a link, invited once, and members' accounts when they link."""

from __future__ import annotations

import contextvars
import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.linking import accounts
from flask_lineconnect.linking import unlinking
from flask_lineconnect.marketing.friends import inviting
from flask_lineconnect.marketing.friends.adding import Added
from flask_lineconnect.marketing.friends.adding import add_friends
from flask_lineconnect.models import Account
from flask_lineconnect.models import Campaign
from flask_lineconnect.outbox.delivery import deliver_due
from flask_lineconnect.state import LineState
from flask_lineconnect.state import utcnow
from flask_lineconnect.testing.plugin import Emulator
from tests.conftest import DATABASES
from tests.outbox.conftest import BASE_URL
from tests.outbox.conftest import StoppedClock
from tests.outbox.conftest import app as app
from tests.outbox.conftest import clock as clock
from tests.outbox.conftest import settings as settings
from tests.people import log_in
from tests.people import press
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

IDS = [f"U{number:032x}" for number in range(1, 8)]
ONE, TWO, THREE, FOUR = IDS[:4]


@pytest.fixture(autouse=True)
def _friends(line_emulator: Emulator) -> None:
    users = [{"user_id": one, "display_name": one[-2:], "relation": "friend"} for one in IDS]
    line_emulator.set_up(users=users)


def run(app: Flask, *arguments: str, answer: str | None = None) -> tuple[int, str]:
    """Run a command as in a process of its own; return its exit code, and what it said."""
    invoke = app.test_cli_runner().invoke
    words = ["friends", *arguments]
    result = contextvars.Context().run(invoke, commands, words, input=answer)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def account(line: LineState, line_user_id: str) -> Account:
    """Return what is known of a person on LINE."""
    line.session.rollback()
    statement = select(Account).where(Account.line_user_id == line_user_id)
    return line.session.scalars(statement).one()


def link(line: LineState, line_user_id: str, *, is_friend: bool | None = True) -> User:
    """Make a member who is linked."""
    member = User(name="花子")
    db.session.add(member)
    db.session.flush()
    found = accounts.ensure_account(line.session, line_user_id, now=line.clock())
    accounts.note_friendship(line.session, found, is_friend, at=line.clock())
    accounts.link(line, found, member.id, source=None, now=line.clock())
    line.session.commit()
    return member


def note(line: LineState, line_user_id: str, is_friend: bool | None) -> None:
    """Note what LINE told of somebody."""
    found = accounts.ensure_account(line.session, line_user_id, now=line.clock())
    accounts.note_friendship(line.session, found, is_friend, at=line.clock())
    line.session.commit()


def test_a_file_is_imported_and_says_what_became_of_each(
    app: Flask, line: LineState, clock: StoppedClock, tmp_path: Path
) -> None:
    link(line, ONE)
    note(line, TWO, is_friend=False)
    note(line, THREE, is_friend=True)
    note(line, FOUR, is_friend=None)
    path = tmp_path / "ids.csv"
    path.write_text("\n".join(["userId", *IDS, f"C{ONE[1:]}", FOUR, "", "花子"]))
    code, said = run(app, "import", str(path), "--json")
    found = json.loads(said)
    assert code == 1
    bad = [one["line"] for one in found.pop("bad")]
    assert found == {"new": 3, "noted": 1, "known": 1, "linked": 1, "blocked": 1, "twice": 1}
    assert bad == [9, 12]
    is_friend = [account(line, one).is_friend for one in IDS]
    assert is_friend == [True, False, True, True, True, True, True]
    assert [account(line, one).is_linked for one in IDS] == [True] + [False] * 6
    # Once more: nothing changes.
    path.write_text("\n".join(["userId", *IDS]))
    code, said = run(app, "import", str(path))
    assert code == 0
    assert said.splitlines() == [
        "0 noted as friends",
        "5 known as friends before",
        "1 members already",
        "1 have blocked the account, as LINE told",
    ]


def test_bad_lines_are_told_with_their_numbers(app: Flask, line: LineState, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text(f"{ONE}\nnobody\n{TWO}\n")
    code, said = run(app, "import", str(path))
    assert code == 1
    assert "line 2: no LINE user id" in said
    assert "1 lines have no id; all others are noted" in said
    assert {row.line_user_id for row in line.session.scalars(select(Account))} == {ONE, TWO}


def test_more_ids_than_a_portion(app: Flask, line: LineState, tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_text("\n".join(f"U{number:032x}" for number in range(2_345)))
    code, said = run(app, "import", str(path))
    assert (code, said.strip()) == (0, "2,345 noted as friends")
    code, said = run(app, "import", str(path))
    assert "2,345 known as friends before" in said


def test_what_line_tells_later_counts_more_than_the_shops_file(
    line: LineState, clock: StoppedClock
) -> None:
    assert add_friends(line.session, [ONE], now=clock.now) == Added(new=1)
    note(line, ONE, is_friend=False)
    assert add_friends(line.session, [ONE], now=clock.now) == Added(blocked=1)
    assert account(line, ONE).is_friend is False
    # LINE's own list is newer.
    clock.advance(hours=1)
    told = add_friends(line.session, [ONE], now=clock.now, told_at=clock.now)
    assert told == Added(noted=1)
    assert account(line, ONE).is_friend is True
    # And what came in while it was asked for is newer still.
    asked_at = clock.now
    clock.advance(minutes=1)
    note(line, ONE, is_friend=False)
    told = add_friends(line.session, [ONE], now=clock.now, told_at=asked_at)
    assert told == Added(blocked=1)


def test_lines_list_is_fetched_page_by_page(
    app: Flask, line: LineState, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_lineconnect.line_api.client.MOST_FOLLOWERS", 2)
    line_emulator.set_up(messaging_channel={"is_verified": True})
    line_emulator.block(TWO)
    code, said = run(app, "fetch")
    assert (code, said.strip()) == (0, "6 noted as friends")
    asked = [call for call in line_emulator.calls() if call["path"] == "/v2/bot/followers/ids"]
    assert len(asked) == 3
    noted = {row.line_user_id for row in line.session.scalars(select(Account))}
    assert noted == set(IDS) - {TWO}
    assert account(line, ONE).friend_evidence_at is not None
    code, said = run(app, "fetch", "--json")
    assert json.loads(said)["known"] == 6


def test_an_account_that_is_not_verified_is_told_so(app: Flask, line: LineState) -> None:
    code, said = run(app, "fetch")
    assert code == 1
    assert "verified and premium accounts only" in said
    assert "flask line friends import" in said


def test_a_list_that_breaks_off_keeps_what_it_has(
    app: Flask, line: LineState, line_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_lineconnect.line_api.client.MOST_FOLLOWERS", 2)
    monkeypatch.setattr("flask_lineconnect.marketing.friends.adding.MOST_ROWS", 2)
    line_emulator.set_up(messaging_channel={"is_verified": True})
    asked = LineApi.follower_ids

    def ask(api: LineApi, start: str | None) -> tuple[list[str], str | None]:
        if start is not None:
            line_emulator.fault(path="/v2/bot/followers/ids", status=500, times=1)
        return asked(api, start)

    with monkeypatch.context() as patch:
        patch.setattr(LineApi, "follower_ids", ask)
        code, said = run(app, "fetch")
    assert code == 1
    assert "Error: LINE refused to list followers: 500" in said
    assert len(line.session.scalars(select(Account)).all()) == 2
    line.session.rollback()
    code, said = run(app, "fetch")
    assert code == 0
    assert len(line.session.scalars(select(Account)).all()) == len(IDS)


def test_friends_are_invited_once_and_members_and_blockers_never(
    app: Flask, line: LineState, clock: StoppedClock, line_emulator: Emulator
) -> None:
    add_friends(line.session, IDS[:5], now=clock.now)
    link(line, ONE)
    note(line, TWO, is_friend=False)
    member = link(line, THREE)
    unlinking.end_links_of(line, member.id, actor="member", now=clock.now)
    note(line, IDS[5], is_friend=None)
    line.session.commit()
    deliver_due(line)
    before = {one: len(line_emulator.received(one)) for one in IDS}
    code, said = run(app, "count")
    assert [row.split()[-1] for row in said.splitlines()] == ["1", "3", "2"]
    code, said = run(app, "invite", answer="y\n")
    assert code == 0, said
    assert "2 friends are not linked and would be invited." in said
    assert "Campaign invitation has begun: 2 are invited." in said
    deliver_due(line)
    got = [one for one in IDS if len(line_emulator.received(one)) > before[one]]
    assert got == [FOUR, IDS[4]]
    message = line_emulator.received(FOUR)[-1]
    assert "source=invitation" in message["template"]["actions"][0]["uri"]
    # Neither the same campaign nor another one soon.
    code, said = run(app, "invite", "--yes")
    assert code == 1
    assert "there is a campaign invitation already" in said
    code, said = run(app, "invite", "--yes", "--key", "again")
    assert (code, said.strip()) == (0, "There is nobody to invite.")
    code, said = run(app, "invite", "--yes", "--key", "again", "--again-after", "0")
    assert "2 are invited" in said


def test_who_links_or_blocks_before_it_goes_is_left_out(
    app: Flask, line: LineState, clock: StoppedClock, line_emulator: Emulator
) -> None:
    add_friends(line.session, IDS[:3], now=clock.now)
    code, _said = run(app, "invite", "--yes", "--send-at", "2026-11-28 10:00:00")
    assert code == 0
    deliver_due(line)
    assert [line_emulator.received(one) for one in IDS[:3]] == [[], [], []]
    clock.advance(hours=12)
    member = link(line, ONE)
    note(line, TWO, is_friend=False)
    clock.advance(hours=12)
    deliver_due(line)
    got = [one for one in IDS if line_emulator.received(one)]
    assert got == [THREE]
    # The friend's row has become the member's account.
    found = account(line, ONE)
    assert found.member_id == member.id
    extension.send(member, "ありがとうございます")
    line.session.commit()
    deliver_due(line)
    assert [one["text"] for one in line_emulator.received(ONE)] == ["ありがとうございます"]
    row = line.session.scalars(select(Campaign)).one()
    assert (row.recipients, row.state) == (3, "finished")


def test_nobody_is_sent_anything_without_a_yes(
    app: Flask, line: LineState, clock: StoppedClock
) -> None:
    add_friends(line.session, IDS, now=clock.now)
    code, said = run(app, "invite", answer="n\n")
    assert code == 1
    assert "Aborted" in said
    assert line.session.scalars(select(Campaign)).all() == []


@pytest.mark.parametrize("settings", [{"LINECONNECT_MARKETING_CAP": 1}])
def test_an_invitation_is_advertising(
    app: Flask, line: LineState, clock: StoppedClock, line_emulator: Emulator
) -> None:
    add_friends(line.session, [ONE], now=clock.now)
    pause = timedelta(0)
    for key in ("first", "second"):
        inviting.invite(line, key, inviting.invitation(line), again_after=pause)
        line.session.commit()
        deliver_due(line)
        clock.advance(minutes=1)
    assert len(line_emulator.received(ONE)) == 1
    campaign = extension.begin_campaign("news", "ニュース")
    line.session.commit()
    deliver_due(line)
    assert campaign.recipients == 0


def test_the_button_leads_to_a_member_whose_account_is_the_friends_row(
    app: Flask, line: LineState, clock: StoppedClock, line_emulator: Emulator, client: FlaskClient
) -> None:
    line_emulator.set_up(base_url=BASE_URL)
    add_friends(line.session, [ONE], now=clock.now)
    before = account(line, ONE).id
    code, said = run(app, "invite", "--yes")
    assert code == 0, said
    deliver_due(line)
    line.session.rollback()
    # Logins go by the machine's own clock.
    line.clock = utcnow
    address = line_emulator.received(ONE)[-1]["template"]["actions"][0]["uri"]
    browser = line_emulator.browser(ONE)
    log_in(client, browser, address.removeprefix(BASE_URL))
    assert press(client, "/line/sign-up", display_name="花子").status_code == 302
    found = account(line, ONE)
    assert found.id == before
    assert found.is_linked
    assert found.link_source == "invitation"
    code, said = run(app, "count", "--json")
    assert json.loads(said) == {"linked": 1, "not linked": 0, "to be invited": 0}
