"""The platform's clock, which tests may stop and move."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta


class Clock:
    """Tells the platform's time: the real one, shifted or stopped."""

    def __init__(self) -> None:
        self._shift = timedelta(0)
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        """Return the platform's time, aware, UTC."""
        return (self._frozen_at or datetime.now(UTC)) + self._shift

    def timestamp(self) -> int:
        """Return the platform's time in whole seconds since 1970."""
        return int(self.now().timestamp())

    @property
    def stopped_at(self) -> datetime | None:
        """The time at which the clock stands; ``None`` while it runs."""
        return None if self._frozen_at is None else self.now()

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of the real time while it runs."""
        return self._shift

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._shift += timedelta(seconds=seconds)

    def go_to(self, at: datetime) -> None:
        """Move the clock to a time; it runs on if it ran."""
        self._shift += at - self.now()

    def freeze(self, at: datetime) -> None:
        """Stop the clock at a time."""
        self._frozen_at, self._shift = at, timedelta(0)

    def reset(self) -> None:
        """Go back to the real time."""
        self._frozen_at, self._shift = None, timedelta(0)
