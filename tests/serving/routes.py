"""Ask a server for what a page asked for, from here: Playwright knows no names of ours."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from playwright.sync_api import Route

#: Seconds.
TIMEOUT = 30.0
#: What holds for the way from the server to us, and not for what we hand on.
_OF_THE_WAY = {"content-encoding", "content-length", "transfer-encoding", "connection"}


@dataclass
class Answer:
    """What the server said, to be handed on with :meth:`fulfill`, perhaps changed."""

    status: int
    headers: dict[str, str]
    body: bytes

    def fulfill(self, route: Route) -> None:
        """Answer the page."""
        route.fulfill(status=self.status, headers=self.headers, body=self.body)


def ask(route: Route, *, url: str | None = None) -> Answer:
    """Send a page's request on, perhaps to another address; follow no redirect."""
    asked = route.request
    answer = requests.request(
        asked.method,
        url or asked.url,
        headers={**asked.all_headers(), "accept-encoding": "identity"},
        data=asked.post_data_buffer,
        timeout=TIMEOUT,
        allow_redirects=False,
    )
    headers = {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower() not in _OF_THE_WAY
    }
    # Several cookies stand in lines of one header.
    cookies = answer.raw.headers.getlist("Set-Cookie")
    if cookies:
        headers["set-cookie"] = "\n".join(cookies)
    return Answer(answer.status_code, headers, answer.content)
