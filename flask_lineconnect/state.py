"""What belongs to one app: :class:`LineState` in ``app.extensions["lineconnect"]``.

It names no feature. What a feature keeps for an app is made by ``parts.py`` and asked for by its
class: ``line.part(LineApi)``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal
from typing import Protocol
from typing import TypeVar
from typing import cast
from typing import runtime_checkable
from urllib.parse import urlsplit

from flask import Flask
from flask import current_app
from jinja2 import Environment
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from .config.settings import Config
from .errors import UsageError
from .shop.adapter import RichMenu
from .shop.adapter import ShopAdapter
from .vault import Vault

if TYPE_CHECKING:
    from flask.ctx import RequestContext
    from flask_sqlalchemy import SQLAlchemy

EXTENSION_KEY = "lineconnect"

Part = TypeVar("Part")


def utcnow() -> datetime:
    """Return the time now, aware, UTC."""
    return datetime.now(UTC)


#: Webhook events; messages; what follows from member events; webhooks that go on to further
#: addresses; and what nobody waits for.
Work = Literal["inbox", "delivery", "schedule", "forwarding", "upkeep"]


class Engine(Protocol):
    """When and where background work runs."""

    def wake(self, work: Work) -> None:
        """Say that there is something to do; returns at once."""


class PartMaker(Protocol):
    """Makes what features keep for one app."""

    def get(self, kind: type[Part]) -> Part:
        """Return the part of a class, the same every time."""


@runtime_checkable
class Healthy(Protocol):
    """An engine that works in this process, and knows whether it still does."""

    def health(self) -> Mapping[Work, bool]:
        """Tell of each kind of work whether what does it lives."""


class Stopping(Protocol):
    """Says whether work must end; a :class:`threading.Event` does."""

    def is_set(self) -> bool:
        """Tell whether to begin nothing more."""

    def set(self) -> None:
        """Let work end."""


@dataclass(kw_only=True)
class LineState:
    """Everything the extension keeps for one app; nothing of a request's.

    :ivar parts: makes what features keep for the app; see :meth:`part`.
    :ivar clock: returns the time now; tests and demos replace it.
    :ivar next_sweep_at: when this process next clears away what expired; see ``upkeep.py``.
    :ivar stopping: set when this process ends: work that was begun is finished, no other begun.
    """

    app: Flask
    config: Config
    shop: ShopAdapter[Any]
    db: SQLAlchemy
    rich_menu: RichMenu | None
    vault: Vault
    json_environment: Environment
    engine: Engine
    parts: PartMaker
    clock: Callable[[], datetime] = utcnow
    next_sweep_at: datetime | None = None
    stopping: Stopping = field(default_factory=threading.Event)

    def part(self, kind: type[Part]) -> Part:
        """Return what a feature keeps for this app, by its class, for example ``LineApi``."""
        return self.parts.get(kind)

    @property
    def session(self) -> Session:
        """The shop's own database session."""
        return cast(Session, self.db.session)

    def url_for(self, endpoint: str, **values: Any) -> str:
        """Return the public address of an endpoint, built from ``LINECONNECT_BASE_URL`` alone."""
        base = urlsplit(self.config.base_url)
        adapter = self.app.url_map.bind(base.netloc, base.path or "/", url_scheme=base.scheme)
        self.app.inject_url_defaults(endpoint, values)
        return adapter.build(endpoint, values, force_external=True)

    def liff_url(self, path: str = "") -> str:
        """Return the address that opens a LIFF page inside LINE; ``path`` follows the endpoint's.

        :raises UsageError: ``LINECONNECT_LIFF_ID`` is not set.
        """
        if not self.config.liff_id:
            raise UsageError("there is no LIFF page without LINECONNECT_LIFF_ID; set it")
        return f"{self.config.hosts.liff}/{self.config.liff_id}{path}"

    def work_context(self) -> RequestContext:
        """Return the context in which hooks run outside a request; ``url_for`` works in it.

        Its ``session`` is empty: there is no visitor whose session the shop's server could keep.
        """
        # At the first hook, see parts.py.
        from flask.ctx import RequestContext
        from flask.sessions import SecureCookieSession

        environ = dict(self._work_environ)
        return RequestContext(self.app, environ, session=SecureCookieSession())

    @cached_property
    def _work_environ(self) -> dict[str, Any]:
        # Made once: making it anew takes longer than many a hook.
        from flask.testing import EnvironBuilder

        builder = EnvironBuilder(self.app, base_url=self.config.base_url)
        try:
            return builder.get_environ()
        finally:
            builder.close()


def _current_state() -> LineState:
    state = current_app.extensions.get(EXTENSION_KEY)
    if not isinstance(state, LineState):
        raise UsageError(f"{current_app.name} has no LineConnect: call line.init_app(app) first")
    return state


#: The :class:`LineState` of the current app.
current_line = cast(LineState, LocalProxy(_current_state))


def itself(line: LineState) -> LineState:
    """Return the state itself where :data:`current_line` was given: for other threads."""
    if isinstance(line, LocalProxy):
        return cast(LineState, line._get_current_object())
    return line
