"""LIFF pages as they are opened on the phone."""

from __future__ import annotations

from urllib.parse import parse_qs
from urllib.parse import quote

from ..conftest import Line
from ..login.login_browser import LIFF_ID
from ..login.login_browser import Browser


def set_scope(line: Line, *names: str) -> None:
    with line.platform.change() as world:
        world.liff_apps[LIFF_ID].scope = list(names)


def location_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 302, answer.text[:300]
    return answer.headers["Location"]


def open_on_phone(browser: Browser, rest: str = "") -> tuple[str, dict[str, str]]:
    """Open a LIFF URL on the phone; return the page's address and the credentials."""
    url = quote(f"https://liff.line.me/{LIFF_ID}{rest}", safe="")
    page, _, fragment = location_of(browser, f"/phone/{browser.user_id}/open?url={url}").partition(
        "#"
    )
    return page, {name: values[0] for name, values in parse_qs(fragment).items()}
