"""In whose zone a member's waits are over: their own, or the shop's."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from flask_lineconnect.errors import UsageError
from flask_lineconnect.marketing.member_zones import MemberZones
from flask_lineconnect.models.portions import MOST_ROWS
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.small_shop import User
from tests.small_shop import db

TOKYO, TAIPEI = ZoneInfo("Asia/Tokyo"), ZoneInfo("Asia/Taipei")


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop, which has no page on LINE here."""
    return make_app()


def members_with(*zones: str | None) -> list[int]:
    """Make members whose zones stand in the column of their addresses."""
    members = [User(name="花子", email=zone) for zone in zones]
    db.session.add_all(members)
    db.session.flush()
    return [member.id for member in members]


def test_without_a_column_everybody_has_the_shops_zone(line: LineState) -> None:
    ids = members_with("Asia/Taipei", None)
    assert line.part(MemberZones).of(line.session, [*ids, 999]) == dict.fromkeys([*ids, 999], TOKYO)


def test_a_members_own_zone_counts(line: LineState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(line.shop), "member_zone", "email")
    ids = members_with("Asia/Taipei", None)
    found = line.part(MemberZones).of(line.session, [*ids, 999])
    assert found == {ids[0]: TAIPEI, ids[1]: TOKYO, 999: TOKYO}
    assert line.part(MemberZones).of(line.session, []) == {}


@pytest.mark.parametrize(
    "odd", ["", "Asia", "Asia/Atlantis", "../../etc/passwd", "/etc", "x" * 999]
)
def test_what_is_no_zone_is_the_shops_and_said_once(
    line: LineState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    monkeypatch.setattr(type(line.shop), "member_zone", "email")
    [member_id] = members_with(odd)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            zones = line.part(MemberZones).of(line.session, [member_id])
            assert zones == {member_id: TOKYO}
    said = [record for record in caplog.records if "member_zone" in record.getMessage()]
    assert len(said) == (1 if odd else 0)
    assert all("花子" not in record.getMessage() for record in said)


def test_more_members_than_a_statement_takes(
    line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(line.shop), "member_zone", "email")
    [member_id] = members_with("Asia/Taipei")
    others = range(1_000, 1_000 + 2 * MOST_ROWS)
    found = line.part(MemberZones).of(line.session, [*others, member_id])
    assert len(found) == 2 * MOST_ROWS + 1
    assert found[member_id] == TAIPEI


@pytest.mark.parametrize(("column", "says"), [("zone", "no column"), ("is_locked", "no text")])
def test_a_column_that_can_not_be_is_refused(
    line: LineState, monkeypatch: pytest.MonkeyPatch, column: str, says: str
) -> None:
    monkeypatch.setattr(type(line.shop), "member_zone", column)
    with pytest.raises(UsageError, match=f"member_zone names '{column}', which is {says}"):
        line.part(MemberZones)
