"""A browser without pages: goes through LINE's login at the emulator over real HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import urljoin
from urllib.parse import urlsplit

import requests

from flask_lineconnect.testing import Emulator

TIMEOUT = 10


@dataclass
class LineBrowser:
    """One person's browser at LINE; keeps LINE's cookies, not the shop's."""

    emulator: Emulator
    user_id: str
    http: requests.Session = field(default_factory=requests.Session)

    def log_in(self, authorize_url: str, *, allow: bool = True, add_friend: bool = True) -> str:
        """Go through the screens that LINE shows; return the callback's path and query."""
        answer = self._open(authorize_url)
        while answer.status_code == 200:
            ticket = re.search(r'name="ticket" value="([^"]+)"', answer.text)
            assert ticket, f"no form in the page at {answer.url}: {answer.text[:500]}"
            answer = self._press(answer.text, ticket[1], allow=allow, add_friend=add_friend)
        assert answer.is_redirect, f"{answer.status_code}: {answer.text[:500]}"
        target = urlsplit(urljoin(answer.url, answer.headers["Location"]))
        return f"{target.path}?{target.query}"

    def _press(self, page: str, ticket: str, *, allow: bool, add_friend: bool) -> requests.Response:
        if "/_add_friend" in page:
            return self._post("_add_friend", ticket, decision="allow" if add_friend else "skip")
        if "/_consent" in page:
            form = {"decision": "allow" if allow else "cancel", "email_ok": "on"}
            if add_friend:
                form["add_friend"] = "on"
            return self._post("_consent", ticket, **form)
        return self._post("_login", ticket, user_id=self.user_id)

    def _post(self, step: str, ticket: str, **form: str) -> requests.Response:
        url = f"{self.emulator.url}/oauth2/v2.1/{step}"
        answer = self.http.post(
            url, data={"ticket": ticket, **form}, timeout=TIMEOUT, allow_redirects=False
        )
        return self._follow_within_line(answer)

    def _open(self, url: str) -> requests.Response:
        return self._follow_within_line(self.http.get(url, timeout=TIMEOUT, allow_redirects=False))

    def _follow_within_line(self, answer: requests.Response) -> requests.Response:
        """Follow LINE's own redirects, but not the one that leads back to the shop."""
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(self.emulator.url):
                break
            answer = self.http.get(target, timeout=TIMEOUT, allow_redirects=False)
        return answer
