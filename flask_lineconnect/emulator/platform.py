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
from urllib.parse import urlsplit

from flask import current_app
from flask import request

from .clock import Clock
from .faults import Faults
from .rate_limits import Buckets
from .webhooks.sender import WebhookSender
from .world import User
from .world import World
from .world import default_world

#: API calls and webhooks that are remembered for the inspector and for tests.
LOG_LENGTH = 2_000


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
        self.webhook_sender = WebhookSender(self)
        #: Browsers on their way through the login screens, by the ticket in the form.
        self.tickets: dict[str, object] = {}
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
            self.webhook_sender.forget()
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


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this machine; only such ones may be plain http."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def absolute_url(path: str) -> str:
    """Return an address of ours as others see it; any other address stays as it is."""
    return request.url_root.rstrip("/") + path if path.startswith("/") else path
