"""The wizard of a campaign: drafts kept at each step, who may do what, and what stops a mistake."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_lineconnect.console import campaign_sending
from flask_lineconnect.marketing.campaigns import planning
from flask_lineconnect.marketing.campaigns.definition import Definition
from flask_lineconnect.marketing.campaigns.definition import Everybody
from flask_lineconnect.marketing.campaigns.definition import SentLately
from flask_lineconnect.marketing.segments import audience
from flask_lineconnect.marketing.segments.rules import read_rule
from flask_lineconnect.models import CampaignPlan
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.models import SavedMessage
from flask_lineconnect.models import SavedSegment
from flask_lineconnect.state import LineState
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.people import token_in
from tests.small_shop import User

from .conftest import CONSOLE
from .conftest import Open

CAMPAIGNS = f"{CONSOLE}/campaigns"


@pytest.fixture
def friends(line: LineState) -> None:
    """Link three members, one of whom blocks the shop."""
    for number, name in enumerate(("山田 花子", "川本 太郎", "遮 断子")):
        link(line, add_member(line, name), str(number)).is_friend = number < 2
    line.session.commit()


def _post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    token = token_in(client.get(f"{CONSOLE}/more"))
    return client.post(f"{CAMPAIGNS}/{path}", data={"csrf_token": token, **fields})


def _plan(line: LineState) -> CampaignPlan:
    line.session.rollback()
    return line.session.scalars(select(CampaignPlan).order_by(CampaignPlan.id.desc())).first()  # type: ignore[return-value]


def _definition(line: LineState) -> Definition:
    return planning.definition_of(_plan(line))


def _draft(client: FlaskClient, line: LineState, **fields: str) -> str:
    """Write a whole draft; return its name."""
    answer = _post(client, "new", do="save", to="linked", category="news", **fields)
    assert answer.status_code == 303
    name = _plan(line).name
    answer = _post(client, f"{name}/message", **_text("秋の新茶です。"), version="1")
    assert answer.status_code == 303, answer.text
    assert answer.location.endswith("/time")
    return name


def _text(text: str, prefix: str = "texta", **more: str) -> dict[str, str]:
    """Return what the composer's form has for one text."""
    fields = {"count": "1", "0-kind": "text", "0-replies": "0", "0-text-ja": text}
    return {"do": "save", **{f"{prefix}-{name}": value for name, value in fields.items()}, **more}


def _confirm(client: FlaskClient, name: str, **fields: str) -> TestResponse:
    return _post(client, f"{name}/begin", **{"version": "2", "people": "2", **fields})


@pytest.mark.usefixtures("friends")
def test_an_owner_writes_a_campaign_and_sends_it(owner: FlaskClient, line: LineState) -> None:
    counted = _post(owner, "new", do="draw", to="linked", category="news")
    assert counted.status_code == 200
    assert "<b>2人</b>" in counted.text
    assert "ブロック中" in counted.text
    assert line.session.scalars(select(CampaignPlan)).all() == [], "looking keeps nothing"
    name = _draft(owner, line, lately="3")
    definition = _definition(line)
    assert definition.to is Everybody.LINKED
    assert definition.unless_sent == (SentLately("category", "advertising", 3),)
    assert definition.label == f"連携会員のみなさま・{datetime.now(line.config.zone):%-m/%-d}"
    page = owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    assert "2人に送る" in page
    assert "秋の新茶です。" in page
    assert _confirm(owner, name).status_code == 303
    plan = _plan(line)
    assert plan.state == "planned", "it can be called back for a minute"
    assert plan.next_at is not None
    assert plan.next_at - line.clock() <= campaign_sending.HOLD
    assert "配信を送った・予約した" in owner.get(f"{CONSOLE}/audit").text


@pytest.mark.usefixtures("friends")
def test_what_was_sent_a_moment_ago_is_called_back(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    _confirm(owner, name)
    assert "下書きに戻す" in owner.get(CAMPAIGNS).text
    assert _post(owner, "call-back", name=name).status_code == 303
    assert _plan(line).state == "draft"
    assert _post(owner, "call-back", name=name).status_code == 400, "nothing waits any more"


@pytest.mark.usefixtures("friends")
def test_an_editor_writes_and_asks_but_does_not_send(open_console: Open, line: LineState) -> None:
    editor, viewer = open_console("editor"), open_console("viewer")
    assert viewer.get(f"{CAMPAIGNS}/new").status_code == 403
    name = _draft(editor, line)
    page = editor.get(f"{CAMPAIGNS}/{name}/confirm").text
    assert "承認を頼む" in page
    assert "に送る</button>" not in page
    assert _confirm(editor, name).status_code == 403
    assert _post(editor, f"{name}/ask", version="2").status_code == 303
    owner = open_console("owner")
    assert "承認待ち" in owner.get(CAMPAIGNS).text
    assert "担当様が承認を頼んでいます" in owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    assert _confirm(owner, name).status_code == 303


@pytest.mark.usefixtures("friends")
def test_above_a_number_another_owner_lets_it_go(
    app: Flask, owner: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "config", _with(line, four_eyes_above=1))
    second = User(name="店主", email="second@mail.example")
    line.session.add(second)
    line.session.commit()
    other = open_as(app.test_client(), second)
    name = _draft(owner, line)
    assert "2人で確かめます" in owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    assert "2人目の承認が必要です" in _confirm(owner, name).text
    assert _post(owner, f"{name}/ask", version="2").status_code == 303
    assert "2人目の承認が必要です" in _confirm(owner, name).text, "who asked does not answer"
    assert "2人に送る" in other.get(f"{CAMPAIGNS}/{name}/confirm").text
    # A change is another campaign than the one that somebody asked for.
    _post(owner, f"{name}/message", **_text("別の文です。", version="2"))
    assert "2人目の承認が必要です" in _confirm(other, name, version="3").text
    _post(owner, f"{name}/ask", version="3")
    assert _confirm(other, name, version="3").status_code == 303
    assert _plan(line).state == "planned"


def _with(line: LineState, **values: object) -> object:
    import dataclasses

    return dataclasses.replace(line.config, **values)  # type: ignore[arg-type]


@pytest.mark.usefixtures("friends")
def test_the_number_is_typed_where_it_is_large(
    owner: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_sending, "TYPED_ABOVE", 1)
    name = _draft(owner, line)
    assert "送る人数を入力してください" in owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    for typed in ("", "3", "x"):
        assert "入力した人数が、送る人数と違います" in _confirm(owner, name, typed=typed).text
    assert _confirm(owner, name, typed="２人").status_code == 303


@pytest.mark.usefixtures("friends")
def test_more_people_than_were_shown_are_shown_first(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    for number in range(12):
        link(line, add_member(line, f"新しい方{number}"), f"n{number}").is_friend = True
    line.session.commit()
    answer = _confirm(owner, name)
    assert "人数が増えました" in answer.text
    assert 'name="people" value="14"' in answer.text
    assert _confirm(owner, name, people="14").status_code == 303


@pytest.mark.usefixtures("friends")
def test_two_who_change_one_campaign_lose_nothing(open_console: Open, line: LineState) -> None:
    owner, editor = open_console("owner"), open_console("editor")
    name = _draft(owner, line)
    theirs = _post(editor, f"{name}/message", **_text("編集者の文", version="2"))
    assert theirs.status_code == 303
    answer = _post(owner, f"{name}/message", **_text("店主の文", version="2"))
    assert answer.status_code == 200
    assert "ほかの方が先にこの配信を変えました" in answer.text
    assert "店主の文" in answer.text, "what was typed stands there still"
    assert 'name="version" value="3"' in answer.text
    assert "編集者の文" in _definition(line).variants[0].message
    # On another step nothing of the first is lost.
    assert _post(owner, f"{name}/time", do="save", version="3", when="now").status_code == 303
    assert "編集者の文" in _definition(line).variants[0].message
    # And who has not seen the newest sends nothing.
    assert "ほかの方が先に" in _confirm(owner, name, version="2").text
    assert _plan(line).state == "draft"


@pytest.mark.usefixtures("friends")
@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"when": "now"}, "None"),
        ({"when": "at", "date": "2099-12-05", "time": "18:30"}, "2099-12-05 18:30:00"),
        ({"when": "every", "every": "day", "time": "10:00"}, "every day at 10:00"),
        (
            {"when": "every", "every": "week", "weekday": "5", "time": "20:00"},
            "every saturday at 20:00",
        ),
        (
            {"when": "every", "every": "month", "day": "31", "time": "09:00"},
            "every month on the last day at 09:00",
        ),
    ],
    ids=str,
)
def test_times_are_the_shops(
    owner: FlaskClient, line: LineState, fields: dict[str, str], written: str
) -> None:
    name = _draft(owner, line)
    answer = _post(owner, f"{name}/time", do="save", version="2", hold_out="10", **fields)
    assert answer.status_code == 303
    definition = _definition(line)
    assert str(definition.at) == written
    assert definition.hold_out == 10
    page = owner.get(f"{CAMPAIGNS}/{name}/time").text
    assert f'value="{fields["when"]}" checked' in page
    assert owner.get(f"{CAMPAIGNS}/{name}/confirm").status_code == 200


@pytest.mark.usefixtures("friends")
@pytest.mark.parametrize(
    "fields",
    [
        {"when": "at", "date": "2020-01-01", "time": "10:00"},
        {"when": "at", "date": "", "time": "10:00"},
        {"when": "at", "date": "2099-02-30", "time": "10:00"},
        {"when": "every", "every": "day", "time": "25:00"},
    ],
    ids=str,
)
def test_what_is_no_time_to_come_is_told(
    owner: FlaskClient, line: LineState, fields: dict[str, str]
) -> None:
    name = _draft(owner, line)
    answer = _post(owner, f"{name}/time", do="save", version="2", **fields)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert _plan(line).version == 2


@pytest.mark.usefixtures("friends")
def test_few_people_are_told_that_nothing_will_show(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    page = _post(owner, f"{name}/time", do="draw", version="2", hold_out="10").text
    assert "この1回では判断できません" in page
    page = _post(owner, f"{name}/time", do="draw", version="2", hold_out="0").text
    assert "効果は分かりません" in page


def test_a_segment_is_chosen_and_one_that_is_gone_is_told(
    owner: FlaskClient, line: LineState
) -> None:
    rule = read_rule({"attribute": "line_is_friend", "is": True})
    audience.save_segment(line, "segment_a", "友だち<i>", rule)
    line.session.commit()
    page = owner.get(f"{CAMPAIGNS}/new?segment=segment_a").text
    assert 'value="segment:segment_a" selected' in page
    answer = _post(owner, "new", do="save", to="segment:segment_a", category="news")
    assert answer.status_code == 303
    assert "友だち&lt;i&gt;" in owner.get(CAMPAIGNS).text
    gone = _post(owner, "new", do="save", to="segment:gone", category="news")
    assert "いまはありません" in gone.text
    name = _plan(line).name
    audience.remove_segment(line, "segment_a")
    line.session.commit()
    assert owner.get(f"{CAMPAIGNS}/{name}/audience").status_code == 200
    assert owner.get(f"{CAMPAIGNS}/new?segment=segment_a").status_code == 400


def test_a_segment_that_asks_for_what_is_gone_is_not_taken(
    owner: FlaskClient, line: LineState
) -> None:
    line.session.add(
        SavedSegment(
            name="broken",
            version=1,
            label="昔の条件",
            rule={"attribute": "gone", "is": 1},
            saved_at=line.clock(),
        )
    )
    line.session.commit()
    assert "昔の条件" in owner.get(f"{CAMPAIGNS}/new").text
    answer = _post(owner, "new", do="save", to="segment:broken", category="news")
    assert answer.status_code == 200
    assert "いまは使えません" in answer.text
    assert line.session.scalars(select(CampaignPlan)).all() == []


def test_all_friends_are_neither_left_out_nor_compared(owner: FlaskClient, line: LineState) -> None:
    _post(owner, "new", do="save", to="friends", category="account", lately="7")
    definition = _definition(line)
    assert definition.is_broadcast
    assert definition.unless_sent == ()
    page = owner.get(f"{CAMPAIGNS}/{definition.name}/time").text
    assert "だれにも送らないでおくことができません" in page
    _post(owner, f"{definition.name}/time", do="save", version="1", when="now", hold_out="10")
    assert _definition(line).hold_out == 0


def test_a_double_press_makes_one_draft(owner: FlaskClient, line: LineState) -> None:
    for _time in range(2):
        fields = {"do": "save", "to": "linked", "category": "news", "name": "campaign_00000001"}
        assert _post(owner, "new", **fields).status_code == 303
    assert [one.name for one in line.session.scalars(select(CampaignPlan))] == ["campaign_00000001"]


@pytest.mark.usefixtures("friends")
def test_a_campaign_that_was_sent_is_copied(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    _confirm(owner, name)
    planning.start(line, _plan(line), _definition(line), datetime.now(UTC))
    line.session.commit()
    assert owner.get(f"{CAMPAIGNS}/{name}/message").status_code == 400, "it has begun"
    assert _post(owner, "copy", name=name).status_code == 303
    assert _plan(line).name != name
    assert "秋の新茶です。" in _definition(line).variants[0].message
    assert _post(owner, "copy", name="gone").status_code == 404


def test_staff_try_a_campaign_on_themselves(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    refused = _post(owner, f"{name}/try")
    assert "LINEと連携してください" in refused.text
    line.session.rollback()
    link(line, line.session.scalars(select(User).where(User.name == "店主")).one(), "o")
    line.session.commit()
    assert _post(owner, f"{name}/try").status_code == 303
    line.session.rollback()
    assert [one.campaign_id for one in line.session.scalars(select(OutboxMessage))] == [None]


def test_what_is_not_written_is_not_confirmed(owner: FlaskClient, line: LineState) -> None:
    _post(owner, "new", do="save", to="linked", category="news")
    name = _plan(line).name
    answer = owner.get(f"{CAMPAIGNS}/{name}/confirm")
    assert answer.status_code == 303
    assert answer.location.endswith("/message")
    empty = _post(owner, f"{name}/message", **_text(" ", version="1"))
    assert "「本文」を書いてください" in empty.text
    # Half written, it is kept for later.
    kept = _post(owner, f"{name}/message", **_text("{{ name", version="1", do="keep"))
    assert kept.status_code == 303
    assert "{{ name" in owner.get(f"{CAMPAIGNS}/{name}/message").text
    page = owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    assert "「内容」に直すところがあります" in page
    assert "に送る</button>" not in page
    assert owner.get(f"{CAMPAIGNS}/none/audience").status_code == 404


def _keep(line: LineState, name: str, label: str, message: object) -> None:
    at = line.clock()
    line.session.add(
        SavedMessage(
            name=name, label=label, message=json.dumps(message), updated_at=at, updated_by="1"
        )
    )
    line.session.commit()


@pytest.mark.usefixtures("friends")
def test_a_saved_message_is_copied_into_a_draft(owner: FlaskClient, line: LineState) -> None:
    step = f"{_draft(owner, line)}/message"
    assert "保存したメッセージから写す" not in owner.get(f"{CAMPAIGNS}/{step}").text
    _keep(line, "message_tea", "秋<i>", [{"text": "新茶"}, {"image": "/static/tea.jpg"}])
    assert "秋&lt;i&gt;</option>" in owner.get(f"{CAMPAIGNS}/{step}").text
    take = {"do": "take-0", "take-0": "message_tea", "version": "2"}
    taken = _post(owner, step, **{**_text("前の文"), **take}).text
    assert "「秋&lt;i&gt;」を写しました" in taken
    assert 'name="texta-1-image-ja"' in taken
    assert "新茶" in taken
    assert "前の文" not in taken
    assert "秋の新茶です。" in _definition(line).variants[0].message, "nothing is kept yet"
    # It is a copy: what becomes of the saved one later does not change the campaign.
    saved = _text("新茶", version="2") | {
        "texta-count": "2",
        "texta-1-kind": "image",
        "texta-1-image-ja": "/static/tea.jpg",
    }
    assert _post(owner, step, **saved).status_code == 303
    assert json.loads(_definition(line).variants[0].message)[1] == {"image": "/static/tea.jpg"}


@pytest.mark.usefixtures("friends")
def test_a_saved_message_is_one_of_two_texts(owner: FlaskClient, line: LineState) -> None:
    step = f"{_draft(owner, line)}/message"
    _keep(line, "message_tea", "秋", {"text": "新茶"})
    both = {**_text("一"), **_text("二", "textb"), "version": "2"}
    page = _post(owner, step, **{**both, "do": "take-1", "take-1": "message_tea"}).text
    assert ">\n一</textarea>" in page
    assert ">\n新茶</textarea>" in page
    assert ">\n二</textarea>" not in page
    for chosen in ({"do": "take-1"}, {"do": "take-1", "take-1": "gone"}, {"do": "take-7"}):
        page = _post(owner, step, **{**both, **chosen}).text
        assert "写す保存メッセージを選んでください" in page
        assert ">\n二</textarea>" in page, "what was typed stays"


@pytest.mark.usefixtures("friends")
def test_two_texts_are_compared_by_their_shares(owner: FlaskClient, line: LineState) -> None:
    name = _draft(owner, line)
    step = f"{name}/message"
    asked = _post(owner, step, **_text("一", version="2", do="compare"))
    assert asked.status_code == 200
    assert 'name="textb-0-text-ja"' in asked.text
    assert _plan(line).version == 2, "nothing is kept yet"
    both = {**_text("一"), **_text("二", "textb"), "version": "2"}
    assert _post(owner, step, **both).status_code == 303
    time = f"{name}/time"
    page = _post(owner, time, do="draw", version="3", when="now", share="30").text
    assert "文面はくらべられません" in page
    assert _post(owner, time, do="save", version="3", when="now", share="30").status_code == 303
    variants = [(one.name, one.weight) for one in _definition(line).variants]
    assert variants == [("a", 70), ("b", 30)]
    assert "文面A 70%・文面B 30%" in owner.get(f"{CAMPAIGNS}/{name}/confirm").text
    # A change of the words keeps the shares; without the second text there are none.
    both |= _text("三")
    assert _post(owner, step, **{**both, "version": "4"}).status_code == 303
    assert [one.weight for one in _definition(line).variants] == [70, 30]
    alone = _post(owner, step, **{**both, "version": "5", "do": "alone"})
    assert 'name="textb-0-text-ja"' not in alone.text
    assert _post(owner, step, **_text("一", version="5")).status_code == 303
    assert [one.name for one in _definition(line).variants] == [""]
