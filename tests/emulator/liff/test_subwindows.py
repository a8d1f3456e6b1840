"""The windows beside a LIFF page over real HTTP: who may open them, and whose answer counts."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ..conftest import SAKURA
from ..conftest import Line
from ..login.login_browser import LIFF_ID
from ..login.login_browser import SITE
from ..login.login_browser import Browser

SCANNER = "1656359117-jxmx5e11"
PICKER = "/oauth2/v2.1/liff/shareTargetPicker"


@pytest.fixture
def page(line: Line) -> Browser:
    """Return a browser; the LIFF app has both windows."""
    line.platform.set_base_url(SITE)
    with line.platform.change() as world:
        world.liff_apps[LIFF_ID].has_qr_code = True
        world.liff_apps[LIFF_ID].has_share_target_picker = True
    return Browser(line)


@pytest.fixture
def token(page: Browser) -> str:
    """Return the access token of a page on which somebody is logged in."""
    return str(page.exchange_liff(page.log_in(liff=True)["code"]).json()["access_token"])


def ask(page: Browser, path: str, token: str, body: dict[str, Any]) -> requests.Response:
    header = {"Authorization": f"Bearer {token}"}
    return requests.post(page.line.host + path, json=body, headers=header, timeout=60)


def one_time_token(page: Browser, token: str) -> str:
    return str(page.read(f"/liff/v2/apps/{LIFF_ID}/ott", token).json()["ott"])


def scanner_token(page: Browser, token: str) -> str:
    wanted = {"mainLiffId": LIFF_ID, "subLiffId": SCANNER, "mstChallenge": "c", "view": {}}
    return str(ask(page, "/liff/v2/sub/msit", token, wanted).json()["msit"])


def result(page: Browser, ott: str) -> Any:
    return page.get(f"{PICKER}/result?liffId={LIFF_ID}&ott={ott}").json()


def pick(page: Browser, ott: str, **form: str) -> requests.Response:
    return page.post("/oauth2/v2.1/_pick", {"ott": ott, "decision": "share", **form})


def test_a_window_needs_a_login_and_the_apps_feature(page: Browser, token: str) -> None:
    path = f"/liff/v2/apps/{LIFF_ID}/ott"
    assert page.read(path, "nobody's").status_code == 401
    assert page.get(path).status_code == 401
    with page.line.platform.change() as world:
        world.liff_apps[LIFF_ID].has_qr_code = False
        world.liff_apps[LIFF_ID].has_share_target_picker = False
    assert page.read(path, token).status_code == 403
    wanted = {"mainLiffId": LIFF_ID, "subLiffId": SCANNER, "mstChallenge": "c"}
    assert ask(page, "/liff/v2/sub/msit", token, wanted).status_code == 403
    assert ask(page, "/liff/v2/sub/msit", token, {}).status_code == 400


def test_the_first_answer_of_a_picker_counts(page: Browser, token: str) -> None:
    ott = one_time_token(page, token)
    assert result(page, ott) == {}
    answer = page.post(f"{PICKER}/result?liffId={LIFF_ID}&ott={ott}", {"result": "CANCEL"})
    assert answer.json() == {}
    data = '{"messages": [{"type": "text", "text": "late"}]}'
    assert pick(page, ott, to="account", data=data).status_code == 200
    assert result(page, ott) == {"result": "CANCEL"}
    assert page.line.chat(SAKURA) == []


@pytest.mark.parametrize("data", ["{", "[]", '{"messages": []}', '{"messages": [{"type": "x"}]}'])
def test_messages_that_line_would_refuse_are_not_shared(
    page: Browser, token: str, data: str
) -> None:
    ott = one_time_token(page, token)
    assert pick(page, ott, to="account", data=data).status_code == 400
    assert result(page, ott) == {}


def test_windows_are_known_by_their_own_tokens_only(page: Browser, token: str) -> None:
    ott, msit = one_time_token(page, token), scanner_token(page, token)
    assert page.get(f"{PICKER}?ott={msit}").status_code == 400
    assert page.get(f"/oauth2/v2.1/_scanner?msit={ott}").status_code == 400
    assert page.get(f"{PICKER}/result?ott=unknown").status_code == 400
    form = page.post("/oauth2/v2.1/_consent", {"ticket": ott, "decision": "allow"})
    assert form.status_code == 400


def test_only_the_page_that_asked_hears_what_was_scanned(page: Browser, token: str) -> None:
    msit = scanner_token(page, token)
    form = {"msit": msit, "decision": "scan", "seen": "00012"}
    assert page.post("/oauth2/v2.1/_scan", form).status_code == 200
    path = "/liff/v2/sub/waitResult"
    assert ask(page, path, token, {"msit": msit, "mstChallenge": "other"}).status_code == 404
    # Closing the window afterwards changes nothing.
    asked = {"msit": msit, "mstChallenge": "c"}
    assert ask(page, "/liff/v2/sub/_cancel", token, asked).json() == {}
    scanned = {"status": "submit", "result": {"message": "00012"}}
    assert ask(page, path, token, asked).json() == scanned


def test_permissions_that_are_missing_are_named(page: Browser, token: str) -> None:
    path = f"/liff/v2/incrementalAgreement/unauthorizedPermissions?liffId={LIFF_ID}"
    assert "openid" not in page.read(path, token).json()["unauthorizedPermissions"]
    assert page.read("/oauth2/v2.1/liff/friendship/validate", token).json() == {"friendFlag": False}
    assert page.read("/liff/v2/oaadd/rateLimit", token).json() == {}
