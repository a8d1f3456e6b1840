"""Signals that tell what happened; their return values are ignored.

The sender is the Flask app. They are sent after the commit; what a receiver raises, whatever it is,
is logged, changes nothing that we do, and keeps no other receiver from hearing.
"""

from __future__ import annotations

import logging
from inspect import iscoroutinefunction
from typing import Any

from blinker import NamedSignal
from blinker import Namespace

from .error_words import for_log

logger = logging.getLogger(__name__)

_signals = Namespace()

#: A LINE account and a member were joined; arguments ``account``, ``member``.
account_linked = _signals.signal("lineconnect.account-linked")
#: A link ended; arguments ``account``, ``member``, which is ``None`` if the member was erased.
account_unlinked = _signals.signal("lineconnect.account-unlinked")
#: A member was logged in by LINE; arguments ``account``, ``member``.
member_logged_in = _signals.signal("lineconnect.member-logged-in")
#: A person added or unblocked the official account; argument ``account``.
account_followed = _signals.signal("lineconnect.account-followed")
#: A person blocked the official account; argument ``account``.
account_unfollowed = _signals.signal("lineconnect.account-unfollowed")
#: The owner must know something about sending: quota, budget, token; argument ``notice``, an
#: :class:`~flask_lineconnect.OwnerNotice`.
owner_notified = _signals.signal("lineconnect.owner-notified")
#: Messages came to their end; arguments ``state`` (``accepted``, ``refused``, ``expired`` or
#: ``cancelled``) and ``recipients``, how many.
messages_ended = _signals.signal("lineconnect.messages-ended")
#: A request to LINE was made; argument ``call``, a :class:`~flask_lineconnect.LineCall`. Without a
#: sender, at once and in whichever thread it was; be quick.
line_called = _signals.signal("lineconnect.line-called")


def tell(signal: NamedSignal, sender: object, **arguments: Any) -> bool:
    """Send a signal to each of its receivers; never raises.

    :return: whether all of them took it.
    """
    if signal.is_muted:
        return True
    is_well = True
    for receiver in signal.receivers_for(sender):
        try:
            if iscoroutinefunction(receiver):
                raise TypeError("receivers of LineConnect's signals can't be coroutines")
            receiver(sender, **arguments)
        # A library's SystemExit or CancelledError must not end our thread.
        except BaseException as error:
            is_well = False
            logger.error(
                "a receiver of the signal %s failed",
                signal.name,
                exc_info=for_log(error),
                # Not by `log_fields`, which knows of errors that this module need not know.
                extra={"event": "lineconnect.receiver_failed", "signal": signal.name},
            )
    return is_well
