"""A rule that can't be is refused where it is read, declared or saved, with the place."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func
from sqlalchemy import select

from flask_lineconnect import LineBlueprint
from flask_lineconnect import MemberQuery
from flask_lineconnect import Refused
from flask_lineconnect import UsageError
from flask_lineconnect.cli.group import line as commands
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.attributes import Attributes
from flask_lineconnect.marketing.segments.errors import InvalidRule
from flask_lineconnect.marketing.segments.rules import All
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import SavedSegment
from flask_lineconnect.outbox.preferences import set_preferences
from flask_lineconnect.shop.categories import category_named
from flask_lineconnect.state import LineState
from tests.conftest import MakeApp
from tests.marketing.segment_shop import make_blueprint
from tests.people import add_member
from tests.people import link
from tests.small_shop import User
from tests.small_shop import line as extension


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop with attributes and segments."""
    app = make_app(LINECONNECT_MARKETING_CAP=1)
    app.register_blueprint(make_blueprint())
    return app


def _deep(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"attribute": "name", "is": "花"}
    for _ in range(depth):
        rule = {"not": rule}
    return rule


#: What can't be a rule, and where it says so.
NO_RULES: list[tuple[Any, str]] = [
    (None, ""),
    ([], ""),
    ({}, ""),
    ({"all": {"attribute": "name"}}, "all"),
    ({"all": [], "any": []}, ""),
    ({"all": [{"any": [7]}]}, "all[0].any[0]"),
    ({"attribute": 7, "is": 1}, "attribute"),
    ({"attribute": "name"}, ""),
    ({"attribute": "name", "is": "花", "contains": "花"}, ""),
    ({"not": {"attribute": "name", "is": "花"}, "days": 3}, ""),
    ({"event": "cart.changed", "days": 0}, "days"),
    ({"event": "cart.changed", "at_least": "2"}, "at_least"),
    ({"event": "cart.changed", "where": [1]}, "where"),
    ({"event": "cart.changed", "where": {"count": 1}}, "where.count"),
    ({"event": "cart.changed", "who": 1}, ""),
    ({"segment": "named", "days": 1}, ""),
    ({"campaign": "spring", "is": 1}, ""),
    (_deep(40), ".".join(["not"] * 13)),
    ({"any": [{"campaign": "a"}] * 201}, "any[199]"),
]
#: What the shop does not have, and where it says so.
NOT_HERE: list[tuple[Any, str]] = [
    ({"attribute": "rank", "is": "gold"}, "attribute"),
    ({"any": [{"not": {"attribute": "rank", "is": "gold"}}]}, "any[0].not.attribute"),
    ({"attribute": "name", "at_least": 1}, ""),
    ({"attribute": "name", "is": 1}, "is"),
    ({"attribute": "purchases", "is": "1"}, "is"),
    ({"attribute": "purchases", "is": True}, "is"),
    ({"attribute": "purchases", "between": [3, 1]}, "between"),
    ({"attribute": "purchases", "one_of": []}, "one_of"),
    ({"attribute": "purchases", "is": 1, "days": 3}, ""),
    ({"attribute": "farthest", "is": 3}, "is"),
    ({"attribute": "is_locked", "is": 1}, "is"),
    ({"attribute": "last_on", "before": "yesterday"}, "before"),
    ({"attribute": "last_on", "in_last_days": 0}, "in_last_days"),
    ({"attribute": "last_on", "days_ago": [9, 3]}, "days_ago"),
    ({"attribute": "last_on", "in_month": 13}, "in_month"),
    ({"attribute": "steps", "is": 1}, ""),
    ({"attribute": "steps", "any_of": [1], "days": 3}, ""),
    ({"attribute": "line_linked_at", "from": "2026-01-01T00:00:00"}, "from"),
    ({"event": "cart.chnged"}, "event"),
    ({"event": "cart.changed", "where": {"total": {"is": 1}}}, "where.total"),
    ({"event": "cart.changed", "where": {"count": {"contains": "1"}}}, "where.count"),
    ({"event": "cart.changed", "where": {"count": {"is": "1"}}}, "where.count.is"),
    ({"segment": "nobody"}, "segment"),
    ({"segment": "named", "with": {"size": 1}}, "segment.with"),
    ({"segment": "named", "with": {"length": "1"}}, "segment.with"),
]


def test_what_is_no_rule_is_refused_with_its_place() -> None:
    for data, place in NO_RULES:
        with pytest.raises(InvalidRule) as raised:
            read_rule(data)
        assert raised.value.place == place, data


def test_what_the_shop_does_not_have_is_refused_with_its_place(line: LineState) -> None:
    for data, place in NOT_HERE:
        with pytest.raises(InvalidRule) as raised:
            audience.members_where(line, read_rule(data))
        assert raised.value.place == place, data
        with pytest.raises(InvalidRule):
            audience.save_segment(line, "saved", "", read_rule(data))
    assert line.session.scalar(select(func.count()).select_from(SavedSegment)) == 0


def test_a_segment_does_not_include_itself(line: LineState) -> None:
    named = {"segment": "named"}
    audience.save_segment(line, "inner", "", read_rule(named))
    audience.save_segment(line, "outer", "", read_rule({"all": [{"segment": "inner"}, named]}))
    for name in ("inner", "outer"):
        with pytest.raises(InvalidRule) as raised:
            audience.save_segment(line, name, "", read_rule({"not": {"segment": "outer"}}))
        assert "自分自身" in raised.value.message
    # Twice beside itself is not inside itself.
    twice = {"any": [{"segment": "inner"}, {"not": {"segment": "inner"}}]}
    audience.save_segment(line, "twice", "", read_rule(twice))


def test_each_change_is_a_version_and_nobody_overwrites_another(line: LineState) -> None:
    rule, other = read_rule({"attribute": "name", "is": "花"}), read_rule({"segment": "named"})
    assert audience.save_segment(line, "flowers", "花", rule) == 1
    assert audience.save_segment(line, "flowers", "花々", other, after=1) == 2
    with pytest.raises(Refused, match="ほかの方が先に保存しました"):
        audience.save_segment(line, "flowers", "花", rule, after=1)
    [listed] = [one for one in audience.list_segments(line) if one.kind == "saved"]
    assert (listed.label, listed.version, listed.problem) == ("花々", 2, None)
    audience.remove_segment(line, "flowers")
    assert [one for one in audience.list_segments(line) if one.kind == "saved"] == []
    with pytest.raises(InvalidRule, match="ありません"):
        audience.members_in(line, "flowers")
    # Its name is free again, and its versions go on.
    assert audience.save_segment(line, "flowers", "花", rule) == 4
    for name in ("named", "Flowers", "a b", ""):
        with pytest.raises(Refused):
            audience.save_segment(line, name, "", rule)


def test_a_segment_on_an_attribute_that_is_gone_says_so(app: Flask, line: LineState) -> None:
    audience.save_segment(line, "flowers", "花", read_rule({"attribute": "name", "is": "花"}))
    audience.save_segment(line, "more", "花", read_rule({"any": [{"segment": "flowers"}]}))
    line.session.commit()
    del line.part(Attributes)._by_name["name"]
    problems = {one.name: one.problem for one in audience.list_segments(line)}
    assert problems["flowers"] == "項目「name」は、いまのお店にはありません。（flowers.attribute）"
    assert problems["more"] is not None
    assert problems["named"] is None
    with pytest.raises(InvalidRule):
        audience.members_in(line, "more")
    answer = app.test_cli_runner().invoke(commands, ["segment", "count", "flowers"])
    assert answer.exit_code == 1
    assert "項目「name」" in answer.output


def test_who_falls_out_and_why(line: LineState) -> None:
    news = category_named(line.shop.categories, "news")
    people = [add_member(line, f"会員{number}") for number in range(6)]
    linked = [link(line, member, digit) for member, digit in zip(people, "abcde", strict=False)]
    linked[0].is_friend = False
    set_preferences(line.session, linked[1], {"news": False}, now=line.clock())
    message = extension.send(people[2], "セール", category="news")
    assert isinstance(message, OutboxMessage)
    message.state, message.first_tried_at = "accepted", line.clock() - timedelta(days=1)
    line.session.commit()
    members = select(User.id)
    reach = audience.reach_of(line, members, news)
    assert (reach.chosen, reach.reachable) == (6, 2)
    assert dict(reach.fallen) == {
        "not a friend": 1,
        "declined": 1,
        "frequency cap": 1,
        "not linked": 1,
    }
    order = category_named(line.shop.categories, "order")
    assert audience.reach_of(line, members, order).reachable == 4
    sample = dict(audience.sample_of(line, members, news, limit=10))
    assert sample[people[0].id] == "not a friend"
    assert sample[people[3].id] is None
    assert len(audience.sample_of(line, members, news, limit=2)) == 2


def test_who_was_meant_by_a_campaign(line: LineState) -> None:
    people = [add_member(line, f"会員{number}") for number in range(4)]
    for member, digit in zip(people, "abc", strict=False):
        link(line, member, digit)
    extension.begin_campaign("spring", "春", members=select(User.id).where(User.id != people[0].id))
    extension.send(people[0], "夏", campaign="summer")
    line.session.commit()
    for key, meant in (("spring", people[1:3]), ("summer", people[:1]), ("autumn", [])):
        rule = read_rule({"campaign": key})
        found = sorted(line.session.scalars(audience.members_where(line, rule)))
        assert found == [member.id for member in meant], key


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda shop: shop.attribute("Name", User.name, label=""), "can't be the name of an attr"),
        (lambda shop: shop.attribute("name", "user.name", label=""), "is no expression"),
        (lambda shop: shop.attribute("mean", func.foo(User.id), label=""), "say it with type="),
        (lambda shop: shop.attribute("one", select(User.id), label=""), "member key, value"),
        (lambda shop: shop.segment("a b", label="")(lambda now: select(User.id)), "can't be the"),
        (lambda shop: shop.segment("one", label="")(lambda now, days: select(User.id)), "default"),
        (lambda shop: shop.segments_from("nowhere.toml"), "can't be read"),
    ],
)
def test_a_declaration_that_can_not_be_is_refused(declare: Any, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        declare(LineBlueprint("more", __name__))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[one]\nattribute = 'name'\nis = 'a'\n", "needs a label"),
        ("[one]\nlabel = 'a'\nall = 1\n", "the segment one in"),
        ("[one\n", "can't be read"),
        ("one = 1\n", "needs a label"),
    ],
)
def test_a_file_of_segments_that_can_not_be_is_refused(
    tmp_path: Path, written: str, said: str
) -> None:
    path = tmp_path / "segments.toml"
    path.write_text(written)
    with pytest.raises(UsageError) as raised:
        LineBlueprint("more", __name__).segments_from(str(path))
    assert said in str(raised.value)


def test_the_same_name_twice_is_refused(app: Flask) -> None:
    attribute, segment = LineBlueprint("one", __name__), LineBlueprint("two", __name__)
    attribute.attribute("name", User.name, label="")
    segment.segment("named", label="")(_nobody)
    for more in (attribute, segment):
        with pytest.raises(UsageError, match="declared twice"):
            app.register_blueprint(more)


def _nobody(now: datetime) -> MemberQuery:
    return select(User.id).where(User.id < 0)


def test_the_commands(app: Flask, line: LineState, tmp_path: Path) -> None:
    def say(*words: str, code: int = 0) -> str:
        answer = app.test_cli_runner().invoke(commands, ["segment", *words])
        assert answer.exit_code == code, answer.output
        return answer.output

    member = add_member(line, "花子")
    link(line, member)
    assert "query" in say("list")
    path = tmp_path / "rule.toml"
    path.write_text("attribute = 'name'\ncontains = '花'\n")
    assert say("save", "flowers", str(path), "--label", "花のつく方") == (
        "Saved flowers as version 1.\n"
    )
    rule = tmp_path / "rule.json"
    rule.write_text(json.dumps({"attribute": "joy", "is": 1}))
    assert "項目「joy」" in say("save", "flowers", str(rule), code=1)
    saved = json.loads(say("list", "--json"))[-1]
    assert (saved["label"], saved["version"], saved["kind"]) == ("花のつく方", "1", "saved")
    assert json.loads(say("count", "flowers", "--json")) == {
        "chosen": 1,
        "reachable": 1,
        "fallen": {},
    }
    assert say("count", "flowers").split() == ["who", "members", "chosen", "1", "reachable", "1"]
    assert "花子" in say("sample", "flowers")
    assert say("sample", "named", "--with", "length=99") == "The segment named chooses nobody.\n"
    assert "length" in say("count", "named", "--with", "length=x", code=1)
    assert "write it as NAME=VALUE" in say("count", "named", "--with", "length", code=1)
    assert "no message category" in say("count", "named", "--category", "joy", code=1)
    assert "ありません" in say("count", "nobody", code=1)
    assert say("remove", "flowers") == "Removed flowers.\n"
    assert "ありません" in say("remove", "flowers", code=1)


def test_an_empty_list_says_so(make_app: MakeApp) -> None:
    app = make_app()
    answer = app.test_cli_runner().invoke(commands, ["segment", "list"])
    assert answer.output == "No segments are declared or saved.\n"


def test_everybody_is_one_plain_select(line: LineState) -> None:
    """Nothing is joined that nobody asked for."""
    line.clock = lambda: datetime(2026, 11, 28, tzinfo=UTC)
    assert " JOIN " not in str(audience.members_where(line, All(())))
    rule = read_rule({"event": "cart.changed"})
    assert '"user"' not in str(audience.members_where(line, rule))
