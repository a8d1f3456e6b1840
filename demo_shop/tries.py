"""How often somebody may try a password, or ask whose an e-mail address is.

Counted by address and by e-mail address, whether or not it is a member's; no success clears either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app
from flask import request

if TYPE_CHECKING:
    from limits.strategies import FixedWindowRateLimiter

#: Many customers may share the address of a network.
FROM_ADDRESS = "60/10minutes"
FOR_EMAIL = "10/10minutes"
_KEY = "demo_shop.tries"


def may_try(email: str | None) -> bool:
    """Count a try, and tell whether it was not one too many."""
    # At the first try: a start needs none of it.
    from limits import parse

    limiter = current_app.extensions.get(_KEY) or _make_limiter()
    is_few = limiter.hit(parse(FROM_ADDRESS), "demo", "address", request.remote_addr or "")
    return limiter.hit(parse(FOR_EMAIL), "demo", "email", (email or "").strip().lower()) and is_few


def _make_limiter() -> FixedWindowRateLimiter:
    """Make the counters of this app: in memory, or where LINE's logins are counted."""
    from limits.storage import storage_from_string
    from limits.strategies import FixedWindowRateLimiter

    storage = current_app.config.get("LINECONNECT_RATE_LIMIT_STORAGE") or "memory://"
    limiter = FixedWindowRateLimiter(storage_from_string(storage))
    current_app.extensions[_KEY] = limiter
    return limiter
