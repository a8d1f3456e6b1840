"""Logins that nobody pressed for: brief, few at once, and none while LINE does not answer.

Such a login must never cost a page. Whoever is let in is in; for everybody else the shop is as it
was. ``auto.py`` begins them, ``views.py`` takes them back.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import current_app
from itsdangerous import BadSignature
from itsdangerous import URLSafeTimedSerializer

from ..config.settings import Config
from ..errors import LineApiError
from .flow import ATTEMPT_LIFETIME

if TYPE_CHECKING:
    from .oidc import LineLogin

#: Seconds that LINE has for each of its answers; it takes some tenths of one.
PATIENCE = 1.5
#: How many of a process's threads may wait for LINE at once.
AT_ONCE = 1
#: Marks a page to which a browser without cookies came back: it is not sent to LINE again.
CAME_BACK = "lineconnect-auto"
#: Seconds without such logins after LINE did not answer one.
REST = 30.0


class QuietLogins:
    """The quiet logins of one app, in this process.

    :param clock: returns the time now, in seconds since 1970.
    :ivar monotonic: the clock for lengths of time, in seconds.
    """

    def __init__(
        self,
        config: Config,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._config = config
        self._clock = clock
        self.monotonic = monotonic
        self._free = threading.Semaphore(AT_ONCE)
        self._rests_until: float | None = None

    @cached_property
    def login(self) -> LineLogin:
        """LINE Login, with a short patience."""
        # When LINE is first asked, see parts.py.
        from ..line_api.http import LineHttp
        from .oidc import LineLogin

        patience = min(self._config.timeout_seconds, PATIENCE)
        http = LineHttp(self._config.hosts.api, patience)
        return LineLogin(self._config, http, self._clock)

    def may_begin(self) -> bool:
        """Tell whether LINE answered when it was asked last."""
        return self._rests_until is None or self._rests_until <= self.monotonic()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let the block ask LINE, if nobody waits for LINE already.

        :raises LineApiError: somebody does, or LINE did not answer lately, or does not now.
        """
        if not self.may_begin() or not self._free.acquire(blocking=False):
            raise LineApiError("LINE was not asked: it answers slowly, or not at all")
        try:
            yield
        except LineApiError:
            self._rests_until = self.monotonic() + REST
            raise
        finally:
            self._free.release()
        self._rests_until = None


def state_with_way_back(path: str) -> str:
    """Return the state of a silent attempt; it holds where a browser without cookies came from.

    :param path: of our own host.
    """
    return _signer().dumps([secrets.token_hex(16), path])


def way_back(states: list[str]) -> str | None:
    """Return the page from which a silent attempt began, by its state alone.

    It logs nobody in: a browser that keeps no cookie reads the page as it is.
    """
    if len(states) != 1:
        return None
    try:
        _random, path = _signer().loads(states[0], max_age=int(ATTEMPT_LIFETIME.total_seconds()))
    except BadSignature:
        return None
    parts = urlsplit(str(path))
    query = "&".join(filter(None, [parts.query, urlencode({CAME_BACK: 0})]))
    return urlunsplit(("", "", parts.path, query, parts.fragment))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="lineconnect silent login")
