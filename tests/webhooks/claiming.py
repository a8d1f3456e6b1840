"""Be a worker that claims one event."""

from __future__ import annotations

from datetime import datetime

from flask_lineconnect.state import LineState
from flask_lineconnect.webhooks import claims
from flask_lineconnect.webhooks import turns
from flask_lineconnect.webhooks.claims import Changes
from flask_lineconnect.webhooks.claims import Claim
from flask_lineconnect.webhooks.claims import Outcome


def claim_one(line: LineState, *, now: datetime) -> Claim | None:
    """Claim the event whose turn it is, if there is one."""
    with turns.writing(line.db.engine, is_durable=True) as connection:
        return next(iter(claims.claim(connection, now=now, limit=1)), None)


def write(line: LineState, claim: Claim, changes: Changes) -> bool:
    """Write to an event; return whether it is still this worker's."""
    with turns.writing(line.db.engine, is_durable=True) as connection:
        return claim.event_id in claims.write(connection, [Outcome(claim, changes)])
