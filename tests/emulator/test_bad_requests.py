"""Bad requests to every kind of endpoint: LINE's JSON, and never a traceback."""

from __future__ import annotations

import pytest
import requests

from flask_lineconnect import Emulator


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "http://[", "http://", "http://a:x/", "http://a/\nb: c", "//a"],
)
def test_the_phone_opens_web_addresses_only(line_emulator: Emulator, url: str) -> None:
    user_id = line_emulator.users()[0]["user_id"]
    address = f"{line_emulator.url}/phone/{user_id}/open"
    answer = requests.get(address, params={"url": url}, timeout=60, allow_redirects=False)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_foreign_host_name_is_refused(line_emulator: Emulator) -> None:
    address = f"{line_emulator.url}/_emulator/state"
    answer = requests.get(address, headers={"Host": "evil.example"}, timeout=60)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/bot/message/push"),
        ("POST", "/oauth2/v2.1/token"),
        ("GET", "/v2/profile"),
        ("GET", "/v2/bot/nowhere"),
        ("PUT", "/liff/v1/apps/1-x"),
        ("POST", "/_emulator/users"),
        ("POST", "/_emulator/users/nobody/text"),
    ],
)
def test_bad_requests_get_json_and_never_a_traceback(
    line_emulator: Emulator, method: str, path: str
) -> None:
    for body in (b"", b"{", b"[1]", b"\xff\xfe", b'{"messages": 5}'):
        answer = requests.request(
            method,
            line_emulator.url + path,
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
        assert 400 <= answer.status_code < 500
        assert isinstance(answer.json(), dict)
