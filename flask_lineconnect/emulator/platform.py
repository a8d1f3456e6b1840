"""The running platform behind every endpoint: its world, clock, lock, log and faults."""

from __future__ import annotations

import threading
from collections import Counter
from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from typing import Protocol
from typing import TypeVar
from typing import cast

from flask import current_app

from .clock import Clock
from .faults import Faults
from .rate_limits import Buckets
from .world import User
from .world import World
from .world import default_world

#: API calls and webhooks that are remembered for the inspector and for tests.
LOG_LENGTH = 2_000


class Part(Protocol):
    """What a room keeps of one platform, such as the webhooks on their way."""

    def __init__(self, platform: Platform) -> None: ...

    def forget(self) -> None:
        """Go back to the start, when the platform does; under the platform's lock."""


P = TypeVar("P", bound=Part)


class Platform:
    """One imitation of LINE; the app has it as ``app.extensions["line_platform"]``.

    :param make_world: makes the world of a start or reset.
    :param data_file: where the world is kept between runs; ``None`` keeps it in memory.
    """

    def __init__(
        self,
        *,
        make_world: Callable[[], World] = default_world,
        data_file: Path | None = None,
    ):
        self.clock = Clock()
        self.lock = threading.RLock()
        self.calls: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.webhooks: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        #: How webhooks went, by LINE's words for it: the platform's own statistics.
        self.webhook_counts: Counter[str] = Counter()
        self.faults = Faults()
        self.rate_limits = Buckets(self.clock)
        #: Browsers on their way through the login screens, by the ticket in the form.
        self.tickets: dict[str, object] = {}
        self._parts: dict[type[Part], Part] = {}
        self._make_world = make_world
        self._data_file = data_file
        self._changed = threading.Condition()
        self._version = 0
        self.world = self._load()

    @contextmanager
    def change(self) -> Iterator[World]:
        """Change the world under the lock; save it and tell the phone pages afterwards."""
        with self.lock:
            yield self.world
            self._save()
        self.notify()

    def reset(self) -> None:
        """Go back to a fresh world and the real time."""
        with self.change():
            self.world = self._make_world()
            for part in self._parts.values():
                part.forget()
            self.clock.reset()
            self.calls.clear()
            self.webhooks.clear()
            self.webhook_counts.clear()
            self.faults.clear()
            self.rate_limits.refill()
            self.tickets.clear()

    def notify(self) -> None:
        """Wake everybody who waits for a change."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def wait_for_change(self, version: int, seconds: float) -> int:
        """Wait until something changed after ``version``; return the version then."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, seconds)
            return self._version

    def set_base_url(self, base_url: str) -> None:
        """Point callback, webhook and LIFF endpoint to a shop with the usual paths."""
        with self.change() as world:
            world.login_channel.callback_urls = [f"{base_url}/line/callback"]
            world.messaging_channel.webhook_url = f"{base_url}/line/webhook"
            for app in world.liff_apps.values():
                app.endpoint_url = f"{base_url}/line/liff"

    def part(self, kind: type[P]) -> P:
        """Return the platform's one object of a room's class, made when first asked for.

        So the platform knows no room, and every room knows it.
        """
        with self.lock:
            if kind not in self._parts:
                self._parts[kind] = kind(self)
            return cast(P, self._parts[kind])

    def user(self, user_id: str) -> User | None:
        """Return a user of this provider."""
        return self.world.users.get(user_id)

    def _load(self) -> World:
        if self._data_file is not None and self._data_file.exists():
            return World.model_validate_json(self._data_file.read_bytes())
        return self._make_world()

    def _save(self) -> None:
        if self._data_file is None:
            return
        self._data_file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._data_file.with_suffix(".tmp")
        draft.write_text(self.world.model_dump_json(), "utf-8")
        draft.replace(self._data_file)


def platform() -> Platform:
    """Return the platform behind the current request."""
    found: Platform = current_app.extensions["line_platform"]
    return found
