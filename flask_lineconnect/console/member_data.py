"""All that the extension keeps of a person, in plain values: for their own eyes.

Source: GDPR, art. 15 and 20; Japan's APPI, art. 33. Tokens are keys and not data, and stay here.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from ..models import Account
from ..models import AuditEntry
from ..models import InboxEvent
from ..models import LineBase
from ..models import MemberEvent
from ..models import MemberTag
from ..models import OutboxMessage
from ..models import PointEntry
from ..models import Preference
from ..models import ScenarioRun
from ..models import StaffNote
from ..state import LineState

_ACCOUNT = (
    "line_user_id",
    "display_name",
    "picture_url",
    "is_friend",
    "friend_evidence_at",
    "linked_at",
    "link_source",
    "language",
    "created_at",
)
_EVENT = ("name", "subject", "facts", "occurred_at")
_MESSAGE = ("category", "state", "created_at", "accepted_at")
_RUN = ("key", "step", "began_at", "ended_at", "end_reason", "facts", "subject")
_AUDIT = ("at", "action", "actor")
_NOTE = ("text", "written_at")
_TAG = ("tag", "tagged_at")
_POINTS = ("points", "reason", "booked_at", "expires_on")
_PREFERENCE = ("category", "is_wanted", "changed_at")


def kept_of(line: LineState, member_id: Any, account: Account | None) -> dict[str, Any]:
    """Return what is kept of a member, by subject."""
    session = line.session
    events = select(MemberEvent).where(MemberEvent.member_id == member_id).order_by(MemberEvent.id)
    runs = select(ScenarioRun).where(ScenarioRun.member_id == member_id).order_by(ScenarioRun.id)
    notes = select(StaffNote).where(StaffNote.member_id == member_id).order_by(StaffNote.id)
    tags = select(MemberTag).where(MemberTag.member_id == member_id).order_by(MemberTag.tag)
    points = select(PointEntry).where(PointEntry.member_id == member_id).order_by(PointEntry.id)
    is_theirs = AuditEntry.member_key == str(member_id)
    audit = select(AuditEntry).where(is_theirs).order_by(AuditEntry.id)
    kept: dict[str, Any] = {
        "member": str(member_id),
        "events": [_values(row, _EVENT) for row in session.scalars(events)],
        "scenario_runs": [_values(row, _RUN) for row in session.scalars(runs)],
        "notes": [_values(row, _NOTE) for row in session.scalars(notes)],
        "points": [_values(row, _POINTS) for row in session.scalars(points)],
        "tags": [_values(row, _TAG) for row in session.scalars(tags)],
        "audit": [_values(row, _AUDIT) for row in session.scalars(audit)],
    }
    return kept if account is None else kept | _on_line(line, account)


def _on_line(line: LineState, account: Account) -> dict[str, Any]:
    session = line.session
    sent = select(OutboxMessage).where(OutboxMessage.account_id == account.id)
    wanted = select(Preference).where(Preference.account_id == account.id)
    written = select(InboxEvent.payload).where(
        InboxEvent.line_user_id == account.line_user_id, InboxEvent.payload != ""
    )
    return {
        "line_account": _values(account, _ACCOUNT),
        "preferences": [_values(row, _PREFERENCE) for row in session.scalars(wanted)],
        "messages": [
            _values(row, _MESSAGE) | {"messages": json.loads(row.messages)}
            for row in session.scalars(sent.order_by(OutboxMessage.id))
        ],
        "written": list(session.scalars(written.order_by(InboxEvent.occurred_at))),
    }


def _values(row: LineBase, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in values.items()
    }
