"""The language that a member chose: answers, messages and the rich menu speak it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import DictLoader
from sqlalchemy import select

from flask_lineconnect import Emulator
from flask_lineconnect import LineApiError
from flask_lineconnect import LineBlueprint
from flask_lineconnect import RichMenu
from flask_lineconnect import TextEvent
from flask_lineconnect import set_up_channels
from flask_lineconnect.engines.upkeep import look_after
from flask_lineconnect.engines.work import work_until_idle
from flask_lineconnect.i18n import gettext as our_gettext
from flask_lineconnect.line_api.client import LineApi
from flask_lineconnect.linking import accounts
from flask_lineconnect.models import Account
from flask_lineconnect.models import OutboxMessage
from flask_lineconnect.state import LineState
from flask_lineconnect.testing.chat import LineChat
from flask_lineconnect.testing.plugin import LineBrowser
from tests.conftest import DATABASES
from tests.conftest import MakeApp
from tests.people import BASE_URL
from tests.people import add_member
from tests.people import log_in
from tests.people import sign_up
from tests.people import token_in
from tests.small_shop import User
from tests.small_shop import db
from tests.small_shop import line as extension

OpenChat: TypeAlias = Callable[[Flask, str], LineChat]
on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)
IMAGE = Path(__file__).parents[2] / "demo_shop" / "line" / "rich_menu.png"
MENU = """{"size": {"width": 2500, "height": 1686}, "selected": true, "name": "%s",
 "chatBarText": "{{ _("会員") }}", "areas": [{"bounds": {"x": 0, "y": 0, "width": 2500,
 "height": 1686}, "action": {"type": "uri", "uri": "{{ liff_url() }}"}}]}"""
hooks = LineBlueprint("languages", __name__)


@hooks.on_text("だれ")
def who(event: TextEvent) -> str:
    """Answer with a text of our catalogues."""
    return our_gettext("会員")


def _speak(language: str) -> str:
    extension.language_chosen(language)
    db.session.commit()
    return ""


@pytest.fixture
def app(make_app: MakeApp, line_emulator: Emulator, tmp_path: Path) -> Flask:
    """Return the small shop with a rich menu in two languages, joined to the emulator."""
    line_emulator.set_up(base_url=BASE_URL)
    app = make_app(**line_emulator.settings(BASE_URL))
    app.register_blueprint(hooks)
    app.add_url_rule("/speak/<language>", view_func=_speak, methods=["POST"])
    app.root_path = str(tmp_path)
    for name in ("menu.png", "menu.en.png"):
        shutil.copy(IMAGE, tmp_path / name)
    state: LineState = app.extensions["lineconnect"]
    state.rich_menu = RichMenu("menu.json", "menu.png", images={"en": "menu.en.png"})
    state.json_environment.loader = DictLoader({"menu.json": MENU % "first"})
    state.json_environment.globals["_"] = our_gettext
    return app


@pytest.fixture
def member(client: FlaskClient, sakura: LineBrowser, line: LineState) -> User:
    """Return the member who registered by LINE."""
    sign_up(client, sakura)
    account = _account(line, sakura)
    found: User = line.session.get_one(User, account.member_id)
    return found


def _account(line: LineState, person: LineBrowser) -> Account:
    line.session.rollback()
    return accounts.ensure_account(line.session, person.user_id, now=line.clock())


def _choose(client: FlaskClient, language: str) -> None:
    token = token_in(client.get("/line/liff/membership"))
    client.post("/line/liff/language", data={"csrf_token": token, "language": language})


def _menu_of(line: LineState, person: LineBrowser) -> str | None:
    """Return LINE's word for "Member" in the menu that a person sees of their own, if any."""
    api = line.part(LineApi)
    try:
        shown = api._ask(
            "ask",
            lambda sdk: sdk.get_rich_menu_id_of_user_with_http_info(person.user_id),
            lambda answer: answer.rich_menu_id,
        )
    except LineApiError:
        return None
    menu = api._ask(
        "ask", lambda sdk: sdk.get_rich_menu_with_http_info(shown), lambda answer: answer
    )
    return str(menu.chat_bar_text)


@on_both
def test_answers_speak_the_language_that_the_member_chose(
    app: Flask, client: FlaskClient, member: User, line_chat: OpenChat, sakura: LineBrowser
) -> None:
    chat = line_chat(app, sakura.user_id)
    words = {}
    for language in ("", "en", "zh_Hant", "th", "ja"):
        if language:
            _choose(client, language)
        words[language] = chat.say("だれ")[-1]["text"]
    assert words == {"": "会員", "en": "Member", "zh_Hant": "會員", "th": "สมาชิก", "ja": "会員"}


def test_somebody_elses_answers_stay_as_they_were(
    app: Flask, client: FlaskClient, member: User, line_chat: OpenChat, line_emulator: Emulator
) -> None:
    _choose(client, "en")
    other = line_emulator.add_user("山田 太郎")
    line_emulator.add_friend(other)
    assert line_chat(app, other).say("だれ")[0]["text"] == "会員"


def test_the_news_of_a_link_speaks_it_whoever_ends_it(
    client: FlaskClient, line: LineState, member: User, line_emulator: Emulator, sakura: LineBrowser
) -> None:
    line_emulator.add_friend(sakura.user_id)
    _choose(client, "en")
    with line.work_context():
        extension.unlink(line.session.get_one(User, member.id))
        line.session.commit()
    texts = line.session.scalars(select(OutboxMessage.messages)).all()
    assert "was unlinked" in str(texts) or "no longer linked" in str(texts), texts


def test_messages_are_written_in_the_language_of_their_member(
    client: FlaskClient, line: LineState, member: User
) -> None:
    _choose(client, "th")
    with line.app.test_request_context(headers={"Accept-Language": "en"}):
        with extension.in_language_of(member):
            assert our_gettext("会員") == "สมาชิก"
        assert our_gettext("会員") == "Member"
        # Who chose none is written to as before.
        with extension.in_language_of(add_member(line)):
            assert our_gettext("会員") == "Member"


def test_the_shops_own_switch_counts_as_the_one_on_our_pages(
    app: Flask, client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    client.post("/speak/zh_Hant")
    assert _account(line, sakura).language == "zh_Hant"
    assert 'lang="zh-Hant"' in client.get("/line/liff/membership").text
    # What is no language of ours changes nothing.
    client.post("/speak/xx")
    assert _account(line, sakura).language == "zh_Hant"


def test_a_choice_follows_the_member_to_another_browser_and_from_it(
    app: Flask, client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    _choose(client, "en")
    elsewhere = app.test_client()
    log_in(elsewhere, sakura)
    assert '<html lang="en">' in elsewhere.get("/line/liff/membership").text
    _choose(elsewhere, "th")
    assert _account(line, sakura).language == "th"
    # This one's own choice is the newest at its next login.
    log_in(client, sakura)
    assert _account(line, sakura).language == "en"


@pytest.mark.parametrize(("asked", "kept"), [("en-GB", "en"), ("zh-TW", "zh_Hant"), ("ja", None)])
def test_who_registers_on_a_page_of_another_language_is_written_to_in_it(
    client: FlaskClient, line: LineState, sakura: LineBrowser, asked: str, kept: str | None
) -> None:
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = asked
    sign_up(client, sakura)
    assert _account(line, sakura).language == kept


def test_the_rich_menu_speaks_it_and_follows_every_change(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    list(set_up_channels(line))
    assert _menu_of(line, sakura) is None
    _choose(client, "en")
    look_after(line)
    assert _menu_of(line, sakura) == "Member"
    # There is none in this language: everybody's is shown.
    _choose(client, "th")
    look_after(line)
    assert _menu_of(line, sakura) is None
    _choose(client, "en")
    look_after(line)
    _publish_again(line, "second")
    look_after(line)
    assert _menu_of(line, sakura) == "Member"
    assert len(line.part(LineApi).rich_menu_ids()) == 2
    assert look_after(line) == 0


def test_a_line_that_is_away_is_told_of_the_menu_later(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser, line_emulator: Emulator
) -> None:
    list(set_up_channels(line))
    _choose(client, "en")
    line_emulator.fault(path="/v2/bot/user*", status=500, times=1)
    look_after(line)
    assert _menu_of(line, sakura) is None
    later = line.clock() + timedelta(minutes=6)
    line.clock = lambda: later
    look_after(line)
    assert _menu_of(line, sakura) == "Member"


def test_who_unlinks_sees_everybodys_menu_and_who_comes_back_their_own(
    client: FlaskClient, line: LineState, member: User, sakura: LineBrowser
) -> None:
    list(set_up_channels(line))
    _choose(client, "en")
    work_until_idle(line)
    with line.work_context():
        extension.unlink(line.session.get_one(User, member.id))
        line.session.commit()
    work_until_idle(line)
    assert _menu_of(line, sakura) is None
    account = _account(line, sakura)
    accounts.link(line, account, member.id, source=None, now=line.clock())
    line.session.commit()
    work_until_idle(line)
    assert _menu_of(line, sakura) == "Member"


def _publish_again(line: LineState, name: str) -> None:
    line.json_environment.loader = DictLoader({"menu.json": MENU % name})
    if line.json_environment.cache is not None:
        line.json_environment.cache.clear()
    list(set_up_channels(line))
