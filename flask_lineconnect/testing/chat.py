"""A person's chat with the shop, for tests of hooks: from LINE's webhook to the reply."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.serving import make_server

from ..engines.work import work_until_idle
from ..errors import UsageError
from ..models import InboxEvent
from ..state import EXTENSION_KEY
from ..state import LineState
from .emulator import COMES_AGAIN
from .emulator import Emulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

#: Seconds that an event may take from LINE to the end of its hook; a test's machine may be busy.
PATIENCE = 60.0


@dataclass(frozen=True)
class LineChat:
    """One LINE user's chat; each call returns what the shop answered.

    :ivar user_id: the LINE user id.
    """

    app: Flask
    emulator: Emulator
    user_id: str

    def say(self, text: str) -> list[dict[str, Any]]:
        """Write a text; return the message objects of the reply."""
        return self._answers_to(lambda: self.emulator.write(self.user_id, text))

    def tap(self, data: str, params: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """Tap a button that carries ``data``; return the message objects of the reply.

        :param params: what a date or time picker chose.
        """
        return self._answers_to(lambda: self.emulator.postback(self.user_id, data, params))

    def send(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Let any webhook event happen, for example ``{"type": "beacon", …}``.

        What every event has (time, id, source, reply token) is filled in.
        """
        return self._answers_to(
            lambda: self.emulator.send_events({"user_id": self.user_id, **event})
        )

    def do(self, act: Callable[[Emulator, str], object]) -> list[dict[str, Any]]:
        """Do anything else as this person, for example ``chat.do(Emulator.add_friend)``."""
        return self._answers_to(lambda: act(self.emulator, self.user_id))

    def _answers_to(self, act: Callable[[], object]) -> list[dict[str, Any]]:
        line: LineState = self.app.extensions[EXTENSION_KEY]
        seen = len(self.emulator.chat(self.user_id))
        known = self._events(line)
        act()
        deadline = time.monotonic() + PATIENCE
        while self._events(line) == known or self._events(line, unfinished=True):
            if time.monotonic() > deadline:
                raise UsageError(
                    "no webhook event came and was worked on in time; is the app joined to this "
                    "emulator, with the settings of `line_emulator.settings(…)`?"
                )
            work_until_idle(line)
            time.sleep(0.01)
        chat = self.emulator.chat(self.user_id)[seen:]
        return [entry["message"] for entry in chat if entry["from"] == "bot"]

    def _events(self, line: LineState, *, unfinished: bool = False) -> int:
        with self.app.app_context():
            statement = select(func.count()).select_from(InboxEvent)
            if unfinished:
                statement = statement.where(InboxEvent.state.in_(("queued", "answering")))
            return line.session.scalar(statement) or 0


@contextmanager
def open_chat(app: Flask, emulator: Emulator, user_id: str) -> Iterator[LineChat]:
    """Let LINE's webhooks reach an app until the block ends, and open a user's chat with it.

    They come to it as they do behind a proxy: at the app's public address, be it https or below a
    path.
    """
    server = make_server("127.0.0.1", 0, _at_public_address(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    prefix = app.extensions[EXTENSION_KEY].config.url_prefix
    webhook_url = f"http://127.0.0.1:{server.server_port}{prefix}/webhook"
    emulator.set_up(messaging_channel={"webhook_url": webhook_url, **COMES_AGAIN})
    try:
        yield LineChat(app, emulator, user_id)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _at_public_address(app: Flask) -> WSGIApplication:
    """Return an app to which every request seems to be for ``LINECONNECT_BASE_URL``."""
    base = urlsplit(app.extensions[EXTENSION_KEY].config.base_url)
    address = {"wsgi.url_scheme": base.scheme, "HTTP_HOST": base.netloc, "SCRIPT_NAME": base.path}

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app(environ | address, start_response)

    return serve
