"""The answers that a login may bring back in another form."""

from __future__ import annotations

import re

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from .login_browser import CALLBACK
from .login_browser import CHANNEL
from .login_browser import SECRET
from .login_browser import Browser
from .login_browser import back


def test_L36_the_answer_may_be_posted_back(sakura: Browser) -> None:
    sakura.log_in()
    page = sakura.open({"response_mode": "form_post"})
    assert f'action="{CALLBACK}"' in page.text
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    assert fields["state"] == "the-state"
    assert sakura.exchange(fields["code"]).status_code == 200


@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
def test_the_answer_may_be_signed(sakura: Browser, mode: str) -> None:
    sakura.log_in()
    found = back(sakura.open({"response_mode": mode}))
    assert set(found) == {"response"}
    signed = jwt.decode(found["response"], OctKey.import_key(SECRET), algorithms=["HS256"])
    assert (signed.claims["aud"], signed.claims["state"]) == (CHANNEL, "the-state")
    assert sakura.exchange(signed.claims["code"]).status_code == 200
