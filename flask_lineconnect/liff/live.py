"""Open point cards learn that points have changed: by server-sent events, else by asking.

A stream looks at one row by its key, once a second, and says only *that* something changed; the
page then fetches itself with its own session. A stream holds a thread, so there are few, none lives
long, and where there is none the page asks now and then.

Source: HTML standard, "Server-sent events".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Response
from flask import jsonify
from flask import request
from sqlalchemy import Engine
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from ..models import Account
from ..state import current_line
from . import card_codes
from .blueprint import LiffBlueprint
from .blueprint import page_account

#: Seconds; below the half minute after which servers and proxies give up on an answer.
LIFETIME = 25.0
#: Seconds between two looks at the row.
INTERVAL = 1.0
#: Milliseconds after which the page comes back when a stream has ended.
_RETRY = 500

EVENT_STREAM = "text/event-stream"

#: What ends a stream when it changes: whose card it is, and whether that session may see it.
Mark = tuple[Any, int]


class Streams:
    """The streams of one process: a few, and one for each account."""

    def __init__(self, limit: int):
        self._limit = limit
        self._open: set[int] = set()
        self._lock = threading.Lock()

    def take(self, account_id: int) -> bool:
        """Take a place; ``False`` if there is none, or the account has one in this process."""
        with self._lock:
            is_free = len(self._open) < self._limit and account_id not in self._open
            if is_free:
                self._open.add(account_id)
            return is_free

    def give_back(self, account_id: int) -> None:
        """Give a place back."""
        with self._lock:
            self._open.discard(account_id)


def register(blueprint: LiffBlueprint) -> None:
    """Add the route to the extension's blueprint."""
    blueprint.page("/liff/changes")(changes)


def changes(_member: Any) -> BaseResponse:
    """Tell a page whether its card is out of date: at once as JSON, or when it happens.

    The page names the version that it shows as ``since``. 204, which ends an event source for
    good, says that there is no place: the page comes once more when its own stream before must be
    gone, and then asks instead.
    """
    account, line = page_account(), current_line
    if request.accept_mimetypes.best_match([EVENT_STREAM, "application/json"]) != EVENT_STREAM:
        return jsonify(version=card_codes.version_name(account.id, account.card_version))
    streams, account_id = line.part(Streams), account.id
    # A server without threads would serve nobody else in the meantime.
    if not request.is_multithread or not streams.take(account_id):
        return Response(status=HTTPStatus.NO_CONTENT)
    events = watch(
        _reader(line.db.engine, account_id),
        allowed=(account.member_id, account.session_generation),
        since=request.args.get("since", ""),
    )
    response = Response(events, mimetype=EVENT_STREAM)
    # Proxies that collect answers would keep the news to themselves.
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: streams.give_back(account_id))
    return response


def watch(
    read: Callable[[], tuple[str, Mark] | None],
    *,
    since: str,
    allowed: Mark | None = None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[str]:
    """Yield events until something changed, the session ended, or the time is up.

    :param read: returns the card's version now and who may see it; ``None`` if there is no account.
    :param allowed: who may see it, as the request found it: the link may have ended since.
    """
    yield f"retry: {_RETRY}\n\n"
    deadline, found = monotonic() + LIFETIME, read()
    if allowed is None and found is not None:
        allowed = found[1]
    while found is not None and found[1] == allowed:
        if found[0] != since:
            # Without an id: the page alone knows which version it has come to show.
            yield "data: changed\n\n"
            return
        if monotonic() >= deadline:
            return
        # A comment, without which a phone that went away is not noticed.
        yield ":\n\n"
        sleep(INTERVAL)
        found = read()
    yield "event: ended\ndata:\n\n"


def _reader(engine: Engine, account_id: int) -> Callable[[], tuple[str, Mark] | None]:
    """Return how to look at the row: with a connection that is given back at once."""
    statement = select(Account.card_version, Account.member_id, Account.session_generation).where(
        Account.id == account_id
    )

    def read() -> tuple[str, Mark] | None:
        with engine.connect() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            return None
        return card_codes.version_name(account_id, row[0]), (row[1], row[2])

    return read
