"""What is told of each request to LINE: one log line, one signal; no token, no text, no person."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from .. import signals
from ..log_fields import log_fields
from ..signals import tell

logger = logging.getLogger(__name__)

#: What libraries raise for answers that are HTML, empty, too deep or of wrong types.
UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class LineCall:
    """One request to LINE, and how it ended.

    :ivar endpoint: what was asked for, in a few words that are the same each time.
    :ivar status: the HTTP status; ``None`` when nothing that is LINE's came back.
    :ivar request_id: LINE's ``x-line-request-id``, to quote to LINE's support.
    """

    endpoint: str
    status: int | None
    request_id: str | None
    seconds: float


def note_call(call: LineCall) -> None:
    """Tell the log, and whoever listens."""
    if logger.isEnabledFor(logging.INFO):
        _log(call)
    tell(signals.line_called, None, call=call)


def _log(call: LineCall) -> None:
    milliseconds = round(call.seconds * 1000)
    logger.info(
        "LINE %s: status %s, request id %s, %d ms",
        call.endpoint,
        call.status,
        call.request_id or "-",
        milliseconds,
        extra=log_fields(
            "line_called",
            endpoint=call.endpoint,
            status=call.status,
            line_request_id=call.request_id,
            milliseconds=milliseconds,
        ),
    )
