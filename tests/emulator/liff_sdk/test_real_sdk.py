"""LINE's real LIFF SDK starts against the emulator, outside and inside LINE's app."""

from __future__ import annotations

from .conftest import MakeSdk


def test_B4_an_external_browser_logs_in(make_sdk: MakeSdk) -> None:
    sdk = make_sdk("real")
    assert sdk.open("/book?menu=cut", "/line/liff/book?menu=cut") == {"ok": True}
    assert sdk.call("liff.isLoggedIn()") == {"value": False}
    sdk.page.evaluate("liff.login({ redirectUri: location.href })")

    assert sdk.log_in() == {"ok": True}
    assert sdk.call("liff.isLoggedIn()") == {"value": True}
    assert sdk.call("liff.getProfile()")["value"]["userId"] == sdk.user_id
    assert sdk.call("liff.getDecodedIDToken()")["value"]["sub"] == sdk.user_id


def test_B3_lines_app_hands_over_credentials(make_sdk: MakeSdk) -> None:
    sdk = make_sdk("real", in_app=True)

    assert sdk.open_in_app("/book?menu=cut", "/line/liff/book?menu=cut") == {"ok": True}
    assert sdk.call("liff.isInClient()") == {"value": True}
    assert sdk.call("liff.getContext().userId") == {"value": sdk.user_id}
    assert sdk.call("liff.getProfile()")["value"]["displayName"] == "佐藤 さくら"
