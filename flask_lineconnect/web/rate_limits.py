"""How often something may be tried: by address, and by LINE account.

Counted by the package ``limits``. Each name has a counter of its own for each purpose, so that one
purpose uses up no other; no success clears any.
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

#: Who is counted.
Kind = Literal["address", "account"]
#: What is counted apart: logins begun and finished; a LIFF page's exchange of its ID token; forms;
#: codes of point cards made, and such codes looked up; answers that say whose an e-mail address is;
#: tracked links opened.
Purpose = Literal["login", "exchange", "form", "code", "look-up", "membership", "click"]

#: For one LINE account, whose phone opens a LIFF page now and then.
ACCOUNT_RATE = "60/minute"
#: For what a person needs once in a while, and a thief of addresses all the time.
MEMBERSHIP_RATE = "10/hour"


class RateLimits:
    """The counters of one app."""

    def __init__(self, config: Config):
        self._limiter = FixedWindowRateLimiter(storage_from_string(config.rate_limit_storage))
        self._rates: dict[str, list[RateLimitItem]] = {
            "address": parse_many(config.rate_limit),
            "account": [parse(ACCOUNT_RATE)],
        }
        self._membership = [parse(MEMBERSHIP_RATE)]

    def count(self, kind: Kind, name: str, purpose: Purpose = "login") -> None:
        """Count a request of one address or account for one purpose.

        :raises Refused: it was one too many; the step is ``rate``.
        """
        # Every limit counts, also when another one is exceeded.
        rates = self._membership if purpose == "membership" else self._rates[kind]
        is_within = [self._limiter.hit(rate, "lineconnect", purpose, kind, name) for rate in rates]
        if not all(is_within):
            raise Refused(
                _("短い時間に何度もお試しになったようです。少し待ってからもう一度お試しください。"),
                step="rate",
            )
