"""A person's browser without pages: goes through LINE's screens at the emulator over HTTP.

For tests of what a shop does with a login, without a real browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import quote
from urllib.parse import urljoin
from urllib.parse import urlsplit

import requests

from ..errors import UsageError

TIMEOUT = 60.0


@dataclass
class LineBrowser:
    """One person's browser at LINE; it keeps LINE's cookies, not the shop's.

    :ivar url: the emulator's origin.
    :ivar user_id: the LINE user id of the person.
    """

    url: str
    user_id: str
    http: requests.Session = field(default_factory=requests.Session)

    def log_in(
        self,
        authorize_url: str,
        *,
        allow: bool = True,
        share_email: bool = True,
        add_friend: bool = True,
    ) -> str:
        """Go through the screens that LINE shows, from where the shop's login leads.

        :param authorize_url: the ``Location`` of the shop's answer.
        :param allow: give the consent; otherwise it is cancelled.
        :param share_email: leave the tick at the e-mail address.
        :param add_friend: take the offer to add the official account.
        :return: path and query of the shop's callback.
        :raises UsageError: LINE shows an error page.
        """
        answer = self._follow(self.http.get(authorize_url, timeout=TIMEOUT, allow_redirects=False))
        while answer.status_code == 200:
            ticket = re.search(r'name="ticket" value="([^"]+)"', answer.text)
            if ticket is None:
                break
            form = {"ticket": ticket[1], "user_id": self.user_id}
            form["decision"] = "allow" if allow else "cancel"
            form |= {"email_ok": "on"} if share_email else {}
            form |= {"add_friend": "on"} if add_friend else {}
            answer = self._press(answer.text, form, add_friend=add_friend)
        if not answer.is_redirect:
            raise UsageError(f"LINE's login ended at {answer.url} with {answer.status_code}")
        target = urlsplit(urljoin(answer.url, answer.headers["Location"]))
        return f"{target.path}?{target.query}"

    def open_in_app(self, url: str) -> str:
        """Open an address on the person's phone; from now on this browser is the one in the app.

        :param url: of the shop, or a LIFF URL such as ``https://liff.line.me/{liffId}/orders``.
        :return: where it leads: of a LIFF URL the primary page with its credentials.
        """
        # The in-app browser of the phone page is a frame, by which it is known.
        self.http.headers["Sec-Fetch-Dest"] = "iframe"
        door = f"{self.url}/phone/{self.user_id}/open?url={quote(url, safe='')}"
        answer = self.http.get(door, timeout=TIMEOUT, allow_redirects=False)
        if not answer.is_redirect:
            raise UsageError(f"the phone can't open {url}: {answer.status_code}")
        return str(answer.headers["Location"])

    def _press(self, page: str, form: dict[str, str], *, add_friend: bool) -> requests.Response:
        step = re.search(r'action="([^"]*/oauth2/v2\.1/_(login|consent|add_friend))"', page)
        if step is None:
            raise UsageError("LINE shows a page that this browser does not know")
        if step[2] == "add_friend" and not add_friend:
            form["decision"] = "skip"
        address = urljoin(self.url, step[1])
        answer = self.http.post(address, data=form, timeout=TIMEOUT, allow_redirects=False)
        return self._follow(answer)

    def _follow(self, answer: requests.Response) -> requests.Response:
        """Follow LINE's own redirects, but not the one that leads back to the shop."""
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if not target.startswith(self.url):
                break
            answer = self.http.get(target, timeout=TIMEOUT, allow_redirects=False)
        return answer
