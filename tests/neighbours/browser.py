"""A customer's browser without a screen, in front of an app behind TLS: what it sends, and why.

It keeps to what a shop's guards look at: cookies, the referrer that the page before allows, the
origin, the kind of request, and all fields of the form that is sent.
"""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from dataclasses import field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.test import TestResponse

#: Redirects one after the other, before somebody is going round in circles.
MAX_REDIRECTS = 10
#: Policies under which a page of the same origin is told the address before it.
_TELL_OWN = {
    "",
    "same-origin",
    "strict-origin-when-cross-origin",
    "origin-when-cross-origin",
    "no-referrer-when-downgrade",
    "unsafe-url",
}


@dataclass
class Browser:
    """One browser with its cookies; ``page`` is what it shows, ``address`` where that came from.

    :ivar base_url: the shop's public address, perhaps with a path.
    """

    app: Flask
    base_url: str
    user_agent: str = "Mozilla/5.0"
    address: str = ""
    page: Any = None
    _client: Any = field(init=False)

    def __post_init__(self) -> None:
        self._client = self.app.test_client()

    def open(self, address: str) -> str:
        """Open an address, follow redirects within the shop; return where that ends.

        Beyond the shop's own host nothing is fetched.
        """
        return self._go("GET", urljoin(self.base_url + "/", address), {})

    def send(self, *, action: str | None = None, **fields: str) -> str:
        """Fill in a form of the page and send it; return where that ends.

        :param action: a part of the form's action, where the page has several forms.
        """
        form = next(
            (one for one in forms_in(self.page.text) if action is None or action in one.action),
            None,
        )
        assert form is not None, f"no form for {action!r} in {self.page.text}"
        return self.post(form.action, **{**form.fields, **fields})

    def post(self, path: str, **fields: str) -> str:
        """Send a form from this page to a path; return where that ends."""
        return self._go("POST", urljoin(self.address, path), {"data": fields})

    def fetch(self, path: str, **options: Any) -> TestResponse:
        """Let a script of the page send something; nothing is followed, the page stays."""
        headers = {"Sec-Fetch-Mode": "cors", "Origin": _origin(self.base_url)}
        options["headers"] = headers | options.pop("headers", {})
        return self._ask("POST", urljoin(self.address, path), options)

    def _go(self, method: str, address: str, options: dict[str, Any]) -> str:
        for _redirect in range(MAX_REDIRECTS):
            if _origin(address) != _origin(self.base_url):
                return address
            headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
            if method == "POST":
                headers["Origin"] = _origin(self.base_url)
            answer = self._ask(method, address, {**options, "headers": headers})
            if not answer.location:
                self.address, self.page = address, answer
                return address
            address, method, options = urljoin(address, answer.location), "GET", {}
        raise AssertionError(f"the shop leads in circles: {address}")

    def _ask(self, method: str, address: str, options: dict[str, Any]) -> TestResponse:
        base, parts = urlsplit(self.base_url), urlsplit(address)
        path = parts.path.removeprefix(base.path)
        assert parts.path == base.path + path, f"{address} is not below {self.base_url}"
        headers = {"User-Agent": self.user_agent, **options.pop("headers")}
        referrer = self._referrer()
        if referrer:
            headers["Referer"] = referrer
        # Another request, to another process: nothing of the test's own context is seen there.
        answer: TestResponse = contextvars.Context().run(
            self._client.open,
            path or "/",
            method=method,
            query_string=parts.query,
            base_url=self.base_url,
            headers=headers,
            **options,
        )
        return answer

    def _referrer(self) -> str | None:
        if self.page is None:
            return None
        policies = self.page.headers.get("Referrer-Policy", "").split(",")
        return self.address.partition("#")[0] if policies[-1].strip() in _TELL_OWN else None


@dataclass
class Form:
    """A form of a page, with the values that stand in it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


def forms_in(page: str) -> list[Form]:
    """Return the forms of a page."""
    reader = _Forms()
    reader.feed(page)
    return reader.found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = True
            self.found.append(Form(given.get("action", "")))
        elif self._is_inside and tag in {"input", "button"} and given.get("name"):
            is_chosen = given.get("type") not in {"checkbox", "radio"} or "checked" in given
            if is_chosen and tag == "input":
                self.found[-1].fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
