"""A browser at the emulator's login: follows LINE's own pages, and stops where the site begins."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from urllib.parse import parse_qs
from urllib.parse import urlencode
from urllib.parse import urlsplit

import requests

from ..conftest import SAKURA
from ..conftest import Line

SITE = "http://127.0.0.1:5999"
CALLBACK = f"{SITE}/line/callback"
CHANNEL, SECRET = "1650000001", "0123456789abcdef0123456789abcdef"
LIFF_ID = f"{CHANNEL}-DemoCard"
ENDPOINT = f"{SITE}/line/liff"
#: LINE's own example.
VERIFIER = "wJKN8qz5t8SSI9lMFhBB6qwNkQBkuPZoCxzRhwLRUo1"
CHALLENGE = "BSCQwo_m8Wf0fpjmwkIKmPAJ1A7tiuRSNDnXzODS7QI"

WEB = {
    "response_type": "code",
    "client_id": CHANNEL,
    "redirect_uri": CALLBACK,
    "state": "the-state",
    "scope": "openid profile email",
    "nonce": "the-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
LIFF = {
    "app_id": LIFF_ID,
    "state": "abcdefghijkl",
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "liff_sdk_version": "2.31.0",
}

Parameters = dict[str, str | None]


@dataclass
class Browser:
    """One browser, and what its person answers on the screens."""

    line: Line
    user_id: str = SAKURA
    http: requests.Session = field(default_factory=requests.Session)

    def open(self, changes: Parameters | None = None, *, liff: bool = False) -> requests.Response:
        """Open the authorize page; follow nothing."""
        wanted = {**(LIFF if liff else WEB), **(changes or {})}
        given = {name: value for name, value in wanted.items() if value is not None}
        path = "/liff/v1/authorize" if liff else "/oauth2/v2.1/authorize"
        return self.get(f"{path}?{urlencode(given)}")

    def get(self, path: str, **headers: str) -> requests.Response:
        """Open a page of LINE's; follow nothing."""
        return self.http.get(
            self.line.host + path, headers=headers, timeout=60, allow_redirects=False
        )

    def press(self, screen: requests.Response, **form: str) -> requests.Response:
        """Send a screen's form."""
        return self.http.post(
            self.line.host + form_of(screen)[0],
            data={"ticket": form_of(screen)[1], **form},
            timeout=60,
            allow_redirects=False,
        )

    def log_in(
        self,
        changes: Parameters | None = None,
        *,
        liff: bool = False,
        email: bool = True,
        friend: bool = False,
    ) -> dict[str, str]:
        """Go through whatever screens come, allowing; return the callback's parameters."""
        answer = self.open(changes, liff=liff)
        while answer.status_code == 200:
            form = {"user_id": self.user_id, "decision": "allow"}
            form |= {"email_ok": "on"} if email else {}
            form |= {"add_friend": "on"} if friend else {}
            if form_of(answer)[0].endswith("_add_friend"):
                form["decision"] = "allow" if friend else "skip"
            answer = self.press(answer, **form)
        return back(answer)

    def exchange(self, code: str, /, **changes: str) -> requests.Response:
        """Exchange a web login's code, as the site's server does."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "client_id": CHANNEL,
            "client_secret": SECRET,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("/oauth2/v2.1/token", form)

    def exchange_liff(self, code: str, /, **changes: str) -> requests.Response:
        """Exchange a LIFF login's code, as the page does."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": ENDPOINT,
            "client_id": CHANNEL,
            "appId": LIFF_ID,
            "code_verifier": VERIFIER,
            "id_token_key_type": "JWK",
            **changes,
        }
        return self.post("/oauth2/v2.1/token", form)

    def tokens(self, changes: Parameters | None = None, **answers: bool) -> dict[str, Any]:
        """Log in and return the token endpoint's answer."""
        answer = self.exchange(self.log_in(changes, **answers)["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def post(self, path: str, form: dict[str, str]) -> requests.Response:
        """Send a form without cookies, as a server does."""
        return requests.post(self.line.host + path, data=form, timeout=60)

    def read(self, path: str, token: str) -> requests.Response:
        """Call an API with a user's access token."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(self.line.host + path, headers=headers, timeout=60)


def phone_of(line: Line, user_id: str = SAKURA) -> Browser:
    """Return the browser inside a user's LINE app, as the phone page's frame is."""
    browser = Browser(line, user_id)
    browser.http.headers["Sec-Fetch-Dest"] = "iframe"
    browser.get(f"/phone/{user_id}/open?url={SITE}/")
    return browser


def form_of(screen: requests.Response) -> tuple[str, str]:
    """Return where a screen's form goes, and its ticket."""
    action = re.search(r'action="([^"]+)"', screen.text)
    ticket = re.search(r'name="ticket" value="([^"]+)"', screen.text)
    assert action, screen.text[:500]
    assert ticket, screen.text[:500]
    return action[1], ticket[1]


def screen_of(answer: requests.Response) -> str:
    """Return which screen is shown."""
    return form_of(answer)[0].rpartition("_")[2] if answer.status_code == 200 else "none"


def back(answer: requests.Response) -> dict[str, str]:
    """Return the parameters that the browser brings back to the site."""
    assert answer.status_code == 302, f"{answer.status_code}: {answer.text[:500]}"
    query = urlsplit(answer.headers["Location"]).query
    return {name: values[0] for name, values in parse_qs(query).items()}


def channel_token(line: Line, path: str = "/oauth2/v3/token") -> str:
    """Return an access token of the login channel itself."""
    form = {
        "grant_type": "client_credentials",
        "client_id": CHANNEL,
        "client_secret": SECRET,
    }
    return str(requests.post(line.host + path, data=form, timeout=60).json()["access_token"])


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a JWT, unchecked."""
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]
    )
    return header, claims
