"""How often logins may be begun, finished and exchanged: by address, and by LINE account.

Counted by the package ``limits``; each name has a counter of its own, which no success clears.
"""

from __future__ import annotations

from typing import Literal

from limits import RateLimitItem
from limits import parse
from limits import parse_many
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from ..config.settings import Config
from ..errors import Refused
from ..i18n import gettext as _

#: For one LINE account, whose phone opens a LIFF page now and then.
ACCOUNT_RATE = "60/minute"


class RateLimits:
    """The counters of one app."""

    def __init__(self, config: Config):
        self._limiter = FixedWindowRateLimiter(storage_from_string(config.rate_limit_storage))
        self._rates: dict[str, list[RateLimitItem]] = {
            "address": parse_many(config.rate_limit),
            "account": [parse(ACCOUNT_RATE)],
        }

    def count(self, kind: Literal["address", "account"], name: str) -> None:
        """Count a request of one address or account.

        :raises Refused: it was one too many; the step is ``rate``.
        """
        # Every limit counts, also when another one is exceeded.
        is_within = [
            self._limiter.hit(rate, "lineconnect", kind, name) for rate in self._rates[kind]
        ]
        if not all(is_within):
            raise Refused(
                _("短い時間に何度もお試しになったようです。少し待ってからもう一度お試しください。"),
                step="rate",
            )
