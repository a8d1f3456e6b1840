"""Pages inside LINE, the shop's own and ours: who sees them, at which addresses, how guarded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import render_template_string
from flask import request
from flask.testing import FlaskClient
from jinja2 import DictLoader
from werkzeug.datastructures import Headers

from flask_lineconnect import LiffBlueprint
from flask_lineconnect import UsageError
from flask_lineconnect.state import LineState
from flask_lineconnect.web import assets
from tests.conftest import MakeApp
from tests.people import add_member
from tests.people import link
from tests.people import open_as
from tests.small_shop import User

HOW_TO = (Path(__file__).parents[2] / "docs" / "how-to" / "liff.md").read_text("utf-8")
OPENING = 'id="opening"'

_LAYOUT = '{% extends "lineconnect/liff/base.html" %}{% block content %}'


def _block(name: str, language: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```{language}\n(.*?)```", HOW_TO, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Return the small shop with a LIFF page of its own, which also takes a form."""
    app = make_app()
    pages = LiffBlueprint("pages-in-line", __name__, url_prefix="/club")

    @pages.page("/<name>", methods=["GET", "POST"])
    def club(member: User, name: str) -> str:
        joined = "joined" if request.method == "POST" else "seen"
        return render_template_string(
            _LAYOUT + "{{ text }}<i>{{ csrf_token() }}</i>{% endblock %}",
            text=f"{member.name} {joined} {name}",
        )

    app.register_blueprint(pages)
    return app


@pytest.fixture
def hanako(line: LineState, client: FlaskClient) -> FlaskClient:
    """Return the browser of a linked member."""
    member = add_member(line)
    link(line, member)
    return open_as(client, member)


def test_the_how_to_is_ten_lines_and_runs(make_app: MakeApp) -> None:
    code, template = _block("page", "python"), _block("template", "html")
    lines = [text for text in (code + template).splitlines() if text.strip()]
    assert len(lines) <= 10
    app = make_app()
    app.jinja_loader = DictLoader({"stamps.html": template})
    names: dict[str, Any] = {"User": User, "__name__": "your_shop"}
    exec(compile(code, "liff.md", "exec"), names)
    app.register_blueprint(names["stamps"])
    with app.app_context():
        line = app.extensions["lineconnect"]
        member = add_member(line)
        link(line, member)
        client = app.test_client()
        assert OPENING in client.get("/line/liff/stamps").text
        page = open_as(client, member).get("/line/liff/stamps").text
    assert "山田 花子: 3 of 10" in page
    assert 'class="lc-tabs"' in page


@pytest.mark.parametrize("path", ["/line/liff/club/tea", "/line/liff/club/tea/"])
def test_both_spellings_show_the_page_to_the_linked_member(hanako: FlaskClient, path: str) -> None:
    answer = hanako.get(path)
    assert answer.status_code == 200
    assert "山田 花子 seen tea" in answer.text


def test_a_shops_page_has_the_headers_of_ours(hanako: FlaskClient) -> None:
    own, ours = hanako.get("/line/liff/club/tea"), hanako.get("/line/liff")
    for name in ("Cache-Control", "Referrer-Policy", "X-Content-Type-Options"):
        assert own.headers[name] == ours.headers[name]
    policies = [
        re.sub(r"nonce-[^']+", "", it.headers["Content-Security-Policy"]) for it in (own, ours)
    ]
    assert policies[0] == policies[1]


def test_who_is_not_linked_or_not_logged_in_gets_the_opening_page(
    client: FlaskClient, line: LineState
) -> None:
    assert OPENING in client.get("/line/liff/club/tea").text
    member = add_member(line)
    answer = open_as(client, member).get("/line/liff/club/tea")
    assert OPENING in answer.text
    assert "seen tea" not in answer.text


def test_with_liff_state_only_the_sdk_moves_on(hanako: FlaskClient) -> None:
    assert OPENING in hanako.get("/line/liff/club/tea?liff.state=%2Forders").text


def test_a_script_without_a_member_is_told_so(client: FlaskClient) -> None:
    answer = client.get("/line/liff/club/tea", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json
    assert answer.json["step"] == "session"


def _token(page: str) -> str:
    return page.split("<i>")[1].split("</i>")[0]


def test_S6_3_a_form_needs_the_token_of_the_session(hanako: FlaskClient) -> None:
    path = "/line/liff/club/tea"
    refused = hanako.post(path)
    assert refused.status_code == 400
    assert f'href="{path}"' in refused.text
    answer = hanako.post(path, data={"csrf_token": _token(hanako.get(path).text)})
    assert "山田 花子 joined tea" in answer.text


def test_a_form_whose_session_has_ended_is_not_executed(
    hanako: FlaskClient, client: FlaskClient
) -> None:
    path = "/line/liff/club/tea"
    form = {"csrf_token": _token(hanako.get(path).text)}
    hanako.post("/logout")
    answer = client.post(path, data=form)
    assert answer.status_code == 400
    assert "joined" not in answer.text
    assert f'href="{path}"' in answer.text


def test_registered_too_early_it_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="init_app"):
        Flask("shop").register_blueprint(LiffBlueprint("early", __name__))


def _headers(client: FlaskClient, path: str) -> Headers:
    with client.get(path) as answer:
        assert answer.status_code == 200
        return answer.headers


def test_assets_are_kept_for_a_year_under_their_digest(hanako: FlaskClient) -> None:
    page = hanako.get("/line/liff").text
    paths = re.findall(r'"([^"]+/static/[^"]+)"', page)
    assert len(paths) >= 3
    for path in paths:
        headers = _headers(hanako, path)
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        # A login changes the cookie, and must not make the browser fetch them again.
        assert headers["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in headers
        stale = re.sub(r"static/[^/]+", "static/0000", path)
        assert _headers(hanako, stale)["Cache-Control"] == "no-cache"


def _styles(client: FlaskClient) -> str:
    path = re.search(r'href="([^"]+/liff\.css)"', client.get("/line/liff").text)
    assert path
    return path[1]


@pytest.mark.parametrize("debug", [True, False])
def test_a_file_that_changes_in_debug_mode_has_another_address(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, debug: bool
) -> None:
    folder = tmp_path / "static"
    shutil.copytree(assets.FOLDERS["static"], folder)
    monkeypatch.setitem(assets.FOLDERS, "static", folder)
    client = make_app(DEBUG=debug).test_client()
    before = _styles(client)
    (folder / "pages.css").write_text("p { color: red }", "utf-8")
    assert (_styles(client) != before) is debug


@pytest.mark.parametrize(
    ("here", "opened"),
    [
        ("/line/liff", ""),
        ("/line/liff/", "/"),
        ("/line/liff/club/tea?page=2", "/club/tea?page=2"),
    ],
)
def test_a_desk_leads_to_the_same_page_on_the_phone(
    client: FlaskClient, line: LineState, monkeypatch: pytest.MonkeyPatch, here: str, opened: str
) -> None:
    drawn: list[str] = []

    def draw(data: str) -> bytes:
        drawn.append(data)
        return b"<svg/>"

    monkeypatch.setattr("flask_lineconnect.web.barcodes.qr_file", draw)
    answer = client.get("/line/liff/phone.svg", query_string={"here": here})
    assert answer.mimetype == "image/svg+xml"
    assert drawn == [f"https://liff.line.me/1650000001-DemoCard{opened}"]


@pytest.mark.parametrize(
    "here",
    [
        "",
        "/",
        "/line/liffs",
        "//evil.example",
        "https://evil.example",
        "/line/liff/" + "a" * 300,
        "/line/liff/../1234567890-EvilEvil",
        "/line/liff/%2e%2e/1234567890-EvilEvil",
    ],
)
def test_S4_4_a_desk_leads_nowhere_else(client: FlaskClient, here: str) -> None:
    assert client.get("/line/liff/phone.svg", query_string={"here": here}).status_code == 400


def test_the_opening_page_works_without_javascript(client: FlaskClient) -> None:
    page = client.get("/line/liff/club/tea?page=2&code=x&liff.referrer=y").text
    assert 'href="/line/login?next=/line/liff/club/tea?page%3D2"' in page
    assert client.get("/line/login?next=/line/liff/club/tea").status_code == 302


def test_the_opening_page_fetches_the_sdk_at_once(client: FlaskClient) -> None:
    page = client.get("/line/liff").text
    assert '<link rel="preload" as="script" href="https://static.line-scdn.net/liff' in page


@pytest.mark.parametrize("name", ["none.js", "none.css", "..%2f..%2fsetup.cfg", "..%2fx.js"])
def test_nothing_but_the_files_of_a_folder_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/line/liff/static/now/{name}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "lang"),
    [
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", "zh-Hant"),
        ("zh-Hant-HK,en;q=0.5", "zh-Hant"),
        ("zh-Hans,ja;q=0.5", "zh-Hant"),
        ("zh-Hans-CN", "zh-Hant"),
        ("zh-Hant-MO", "zh-Hant"),
        ("ZH-hant-mo", "zh-Hant"),
        ("yue-Hant-HK,en;q=0.5", "zh-Hant"),
        ("th-TH,en;q=0.9", "th"),
        ("fr-FR,th;q=0.3", "th"),
        ("fr-FR", "ja"),
        ("", "ja"),
    ],
)
def test_pages_speak_the_language_that_the_browser_wants_most(
    client: FlaskClient, asked: str, lang: str
) -> None:
    page = client.get("/line/liff", headers={"Accept-Language": asked}).text
    assert f'<html lang="{lang}">' in page
