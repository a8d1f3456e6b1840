"""How often somebody may be wrong about a password, or ask whose an e-mail address is.

Counted by address and by e-mail address, whether or not it is a member's; no success clears either,
and while one is exceeded the right password is refused, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app
from flask import request

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import FixedWindowRateLimiter

#: Many customers may share the address of a network.
FROM_ADDRESS = "60/10minutes"
FOR_EMAIL = "10/10minutes"
_KEY = "demo_shop.tries"


def may_try(email: str | None) -> bool:
    """Tell whether there were not too many tries; changes no count."""
    return all(_limiter().test(rate, *names) for rate, names in _counters(email))


def note_try(email: str | None) -> None:
    """Count a try that was wrong."""
    for rate, names in _counters(email):
        _limiter().hit(rate, *names)


def _counters(email: str | None) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    # At the first try: a start needs none of it.
    from limits import parse

    return [
        (parse(FROM_ADDRESS), ("demo", "address", request.remote_addr or "")),
        (parse(FOR_EMAIL), ("demo", "email", (email or "").strip().lower())),
    ]


def _limiter() -> FixedWindowRateLimiter:
    limiter: FixedWindowRateLimiter | None = current_app.extensions.get(_KEY)
    return limiter or _make_limiter()


def _make_limiter() -> FixedWindowRateLimiter:
    """Make the counters of this app: in memory, or where LINE's logins are counted."""
    from limits.storage import storage_from_string
    from limits.strategies import FixedWindowRateLimiter

    storage = current_app.config.get("LINECONNECT_RATE_LIMIT_STORAGE") or "memory://"
    limiter = FixedWindowRateLimiter(storage_from_string(storage))
    current_app.extensions[_KEY] = limiter
    return limiter
