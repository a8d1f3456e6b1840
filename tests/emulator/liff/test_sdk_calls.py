"""What LINE's SDK calls from pages of other origins."""

from __future__ import annotations

import pytest
import requests

from ..conftest import SAKURA
from ..login.login_browser import LIFF_ID
from ..login.login_browser import SITE
from ..login.login_browser import Browser


@pytest.mark.parametrize(
    "path",
    [
        "/oauth2/v2.1/verify?access_token=x",
        "/oauth2/v2.1/token",
        "/oauth2/v2.1/certs",
        "/v2/profile",
        "/friendship/v1/status",
        "/message/v3/share",
        f"/liff/v2/apps/{LIFF_ID}/contextToken",
        f"/liff/v2/apps/{LIFF_ID}/ott",
        "/liff/v2/sub/waitResult",
        "/oauth2/v2.1/liff/shareTargetPicker/result",
        "/xlt/manifest.json",
    ],
)
def test_I16_pages_of_other_origins_may_call(sakura: Browser, path: str) -> None:
    answer = requests.options(
        sakura.line.host + path,
        headers={
            "Origin": SITE,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        timeout=60,
    )
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert {"authorization", "content-type"} <= set(allowed)
    # Errors must be readable too.
    assert sakura.get(path).headers["Access-Control-Allow-Origin"] == "*"


def test_our_own_pages_are_closed_to_other_origins(sakura: Browser) -> None:
    for path in ("/_emulator/state", f"/phone/{SAKURA}/state", "/oauth2/v2.1/authorize"):
        assert "Access-Control-Allow-Origin" not in sakura.get(path).headers


def test_the_sdk_is_a_script(sakura: Browser) -> None:
    answer = sakura.get("/liff/edge/2/sdk.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "liff" in answer.text
