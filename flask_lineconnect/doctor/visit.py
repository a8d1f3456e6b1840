"""One look at a shop: what LINE is asked, and what the shop is asked at its public address."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from urllib.parse import parse_qsl
from urllib.parse import urlsplit

from ..line_api.http import Answer
from ..line_api.http import LineHttp
from ..setting_up.questions import Questions
from ..setting_up.questions import known
from ..state import LineState

#: On to the login or back to the shop; or LINE's own page, which says why neither can be.
_OF_LOGINS = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.BAD_REQUEST})


class Visit(Questions):
    """What the checks ask; made for one look."""

    def __init__(self, line: LineState):
        super().__init__(line.config, line.part(LineHttp))
        self.line = line

    def login_page(self) -> Answer:
        """Return what LINE shows to a browser that the shop sends there to log in.

        :raises LineApiError: LINE did not say.
        """
        from ..login.oidc import LineLogin

        line = self.line
        callback = line.url_for("lineconnect.callback")
        begun = line.part(LineLogin).authorization(
            callback, state=secrets.token_hex(8), prompt="none"
        )
        path, _, query = begun.url.removeprefix(line.config.hosts.access).partition("?")
        http = LineHttp(line.config.hosts.access, line.config.timeout_seconds)
        answer = self.once(
            "the login page", lambda: http.ask("GET", path, query=dict(parse_qsl(query)))
        )
        return known(answer, "the login page", also=_OF_LOGINS)

    def own(self, path: str, *, method: str = "GET") -> Answer:
        """Return what the shop answers at its public address, whatever it is.

        :raises LineApiError: it did not answer.
        """
        base = urlsplit(self.line.config.base_url)
        origin = f"{base.scheme}://{base.netloc}"
        http = LineHttp(origin, self.line.config.timeout_seconds)
        key = f"{method} {origin}{path.partition('?')[0]}"
        return self.once(key, lambda: http.ask(method, path), host="own")
