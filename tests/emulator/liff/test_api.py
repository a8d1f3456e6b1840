"""LIFF's server API, with the official SDK."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from linebot.v3 import liff

from ..login.login_browser import CHANNEL
from ..login.login_browser import LIFF_ID
from ..login.login_browser import Browser
from ..login.login_browser import channel_token
from .opened import location_of


@pytest.fixture
def api(sakura: Browser) -> liff.Liff:
    """Return the official SDK's client of the server API."""
    configuration = liff.Configuration(
        host=sakura.line.host, access_token=channel_token(sakura.line)
    )
    return liff.Liff(liff.ApiClient(configuration))


def _view(url: str = "https://shop.example/liff/card") -> liff.LiffView:
    return liff.LiffView(type="tall", url=url)


def test_I17_apps_come_and_go(sakura: Browser, api: liff.Liff) -> None:
    added = api.add_liff_app(liff.AddLiffAppRequest(view=_view(), description="Point card"))
    assert added.liff_id.startswith(f"{CHANNEL}-")
    new = api.get_all_liff_apps().apps[-1]
    assert (new.liff_id, new.description) == (added.liff_id, "Point card")
    assert new.scope == ["profile", "chat_message.write"]
    assert (new.bot_prompt, new.view.module_mode) == ("none", False)
    api.update_liff_app(
        added.liff_id,
        liff.UpdateLiffAppRequest(scope=["openid"], features=liff.LiffFeatures(qrCode=True)),
    )
    changed = api.get_all_liff_apps().apps[-1]
    assert (changed.scope, changed.features.qr_code) == (["openid"], True)
    assert (changed.description, changed.view.type) == ("Point card", "tall")
    assert location_of(sakura, f"/{added.liff_id}") == "https://shop.example/liff/card"
    api.delete_liff_app(added.liff_id)
    with pytest.raises(liff.ApiException) as refused:
        api.delete_liff_app(added.liff_id)
    assert refused.value.status == 404
    api.delete_liff_app(LIFF_ID)
    with pytest.raises(liff.ApiException) as refused:
        api.get_all_liff_apps()
    assert refused.value.status == 404


def test_I17_a_channel_has_thirty_apps(sakura: Browser, api: liff.Liff) -> None:
    for _ in range(29):
        api.add_liff_app(liff.AddLiffAppRequest(view=_view()))
    with pytest.raises(liff.ApiException) as refused:
        api.add_liff_app(liff.AddLiffAppRequest(view=_view()))
    assert refused.value.status == 400


RIGHT = {"view": {"type": "full", "url": "https://shop.example/liff"}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"view": {"type": "full"}},
        {"view": "full"},
        {"view": {"type": "huge", "url": "https://shop.example/"}},
        {"view": {"type": "full", "url": "http://shop.example/"}},
        {"view": {"type": "full", "url": "https://shop.example/#a"}},
        {"view": {"type": "full", "url": "https://["}},
        {"view": {"type": "full", "url": 5}},
        {"view": {"type": ["full"], "url": "https://shop.example/"}},
        {"view": {**RIGHT["view"], "moduleMode": "yes"}},
        RIGHT | {"description": "My LINE app"},
        RIGHT | {"description": 5},
        RIGHT | {"scope": ["everything"]},
        RIGHT | {"scope": [{}]},
        RIGHT | {"scope": "openid"},
        RIGHT | {"botPrompt": "rude"},
        RIGHT | {"features": {"qrCode": 1}},
        RIGHT | {"permanentLinkPattern": "replace"},
    ],
)
def test_B1_wrong_apps_are_refused(sakura: Browser, body: dict[str, Any]) -> None:
    header = {"Authorization": f"Bearer {channel_token(sakura.line)}"}
    url = f"{sakura.line.host}/liff/v1/apps"
    answer = requests.post(url, json=body, headers=header, timeout=60)
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    if body:
        changed = requests.put(f"{url}/{LIFF_ID}", json=body, headers=header, timeout=60)
        is_partial = body == {"view": {"type": "full"}}
        assert changed.status_code == (200 if is_partial else 400)
    # What is kept can be read again.
    world = sakura.line.platform.world
    assert type(world).model_validate_json(world.model_dump_json()) == world


def test_B1_only_the_login_channels_tokens_count(sakura: Browser) -> None:
    url = f"{sakura.line.host}/liff/v1/apps"
    for token, status in (
        (channel_token(sakura.line), 200),
        (channel_token(sakura.line, "/v2/oauth/accessToken"), 200),
        (sakura.line.token, 401),
        ("nobody's", 401),
    ):
        header = {"Authorization": f"Bearer {token}"}
        assert requests.get(url, headers=header, timeout=60).status_code == status
