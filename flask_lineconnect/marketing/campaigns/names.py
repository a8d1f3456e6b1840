"""The names of campaigns, and the keys of what each time of theirs makes."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
#: How the keys of messages begin that a campaign sends; behind it stand its id and the member.
OF_CAMPAIGN = "lineconnect:campaign:"
#: The longest key of a member's that stands in a message's key as it is.
_LONGEST = 200


def campaign_key(name: str, day: date | None) -> str:
    """Return what names one beginning of a plan: the plan, and the day of one that comes again."""
    return name if day is None else f"{name}:{day.isoformat()}"


def message_key(campaign_id: int, member_id: Any) -> str:
    """Return what names a campaign's message to one member."""
    written = str(member_id)
    if len(written) > _LONGEST:
        written = hashlib.sha256(written.encode()).hexdigest()
    return f"{OF_CAMPAIGN}{campaign_id}:{written}"
