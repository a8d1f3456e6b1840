"""Logins that somebody pressed for, while LINE answers slowly or not at all.

Each holds a thread of the shop until LINE has answered. As long as LINE is prompt, nobody notices.
When it is not, few wait for it and all others are told so at once. ``quiet.py`` does it for logins
that nobody pressed for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import LineApiError
from ..line_api.native_threads import is_patched

#: How many of a process's threads wait for a LINE that is slow; servers have four and more.
AT_ONCE = 2
#: And how many greenlets, of which a process has thousands.
GREENLETS_AT_ONCE = 100
#: Seconds after which LINE counts as slow; its answers to a login take some tenths of one.
SLOW = 2.0


class PressedLogins:
    """The pressed logins of one app, in this process.

    :ivar monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic):
        self.monotonic = monotonic
        self._at_once = GREENLETS_AT_ONCE if is_patched() else AT_ONCE
        self._changed = threading.Condition()
        self._began: list[float] = []
        self._was_slow = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let the block ask LINE.

        :raises LineApiError: enough others wait for LINE already, and it is slow.
        """
        began = self._begin()
        try:
            yield
        finally:
            with self._changed:
                self._began.remove(began)
                self._was_slow = self.monotonic() - began >= SLOW
                self._changed.notify_all()

    def _begin(self) -> float:
        with self._changed:
            came = self.monotonic()
            while len(self._began) >= self._at_once and self.monotonic() - came < SLOW:
                if self._is_slow():
                    break
                self._changed.wait(SLOW / 10)
            if len(self._began) >= self._at_once and self._is_slow():
                raise LineApiError("LINE was not asked: it answers slowly, or not at all")
            began = self.monotonic()
            self._began.append(began)
            return began

    def _is_slow(self) -> bool:
        return self._was_slow or self.monotonic() - min(self._began) >= SLOW
