"""What a member wrote and what they were sent, as a talk; and a word of staff into it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import select

from ..after_commit import after_commit
from ..config.plans import Estimate
from ..errors import Refused
from ..messages.limits import MAX_TEXT
from ..messages.limits import is_storable
from ..messages.limits import utf16_length
from ..messages.objects import to_payloads
from ..models import Account
from ..models import InboxEvent
from ..models import OutboxMessage
from ..outbox import budget
from ..outbox import queue
from ..outbox.rules import Rules
from ..shop.categories import ACCOUNT
from ..state import LineState
from . import writing
from .i18n import gettext as _

#: So much of a talk is shown.
LATEST = 30
#: Before the key of a message that staff wrote.
KEY = "console:"
_WAITS = ("queued", "sending")


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message of a talk.

    :ivar note: what is to be said of it: automatic, waiting, not delivered.
    """

    at: datetime
    text: str
    is_ours: bool
    note: str = ""


def talk_of(
    line: LineState,
    account: Account,
    *,
    limit: int = LATEST,
    sent: Sequence[OutboxMessage] | None = None,
) -> list[Bubble]:
    """Return the latest of the talk with a member, the oldest first.

    What was written is kept for some days only; see the docs on what is kept.

    :param sent: the latest messages to them, where they are known already.
    """
    if sent is None:
        sent = sent_to(line, account, limit=limit)
    bubbles = [*_written(line, account, limit), *_sent(sent[:limit])]
    return sorted(bubbles, key=lambda bubble: bubble.at)[-limit:]


def by_day(bubbles: Iterable[Bubble]) -> list[tuple[date, list[Bubble]]]:
    """Return a talk with the days on which it was."""
    return [
        (day, list(some))
        for day, some in groupby(bubbles, lambda one: writing.local(one.at).date())
    ]


def say_to(line: LineState, account: Account, words: str, *, key: str) -> OutboxMessage:
    """Put staff's words into the outbox, inside the caller's transaction.

    :param key: of the form, so that two presses send once.
    :raises Refused: the words are none, or more than LINE takes.
    """
    words = words.replace("\r\n", "\n").strip()
    if not words:
        raise Refused(_("返信を書いてから、送ってください。"), step="text")
    if not is_storable(words) or utf16_length(words) > MAX_TEXT:
        raise Refused(_("文章が長すぎます。%(n)s文字までにしてください。", n=MAX_TEXT), step="text")
    after_commit(line.session, partial(line.engine.wake, "delivery"))
    return queue.enqueue(
        line.session,
        account,
        to_payloads(words),
        queue.Wish(ACCOUNT),
        key=f"{KEY}{key[:64]}",
        now=line.clock(),
    )


def new_key() -> str:
    """Return the key of a form in which staff write."""
    return secrets.token_urlsafe(16)


def cost_of_one(line: LineState) -> Estimate:
    """Say what one more message costs."""
    return budget.estimate(line.session, line.part(Rules).budget, 1, ACCOUNT, now=line.clock())


def words_of(messages: Iterable[Any]) -> str:
    """Return the words of LINE's message objects: of each what a notification would show."""
    kinds = {
        "image": _("写真"),
        "video": _("動画"),
        "audio": _("音声"),
        "sticker": _("スタンプ"),
        "location": _("位置情報"),
        "file": _("ファイル"),
    }
    shown = [
        one.get("text") or one.get("altText") or kinds.get(str(one.get("type")), _("メッセージ"))
        for one in messages
        if isinstance(one, dict)
    ]
    return "\n".join(str(words) for words in shown)


def state_note(state: str) -> str:
    """Say of a message what has become of it, unless LINE accepted it."""
    if state in _WAITS:
        return _("送信待ち")
    return "" if state == "accepted" else _("届いていません")


def _written(line: LineState, account: Account, limit: int) -> Iterable[Bubble]:
    """Return what the person wrote, and what the hooks answered."""
    theirs = InboxEvent.line_user_id == account.line_user_id
    columns = (InboxEvent.occurred_at, InboxEvent.payload, InboxEvent.reply)
    # Those that are finished have an index of their own; few are not.
    statement = (
        select(*columns)
        .where(theirs, InboxEvent.finished_at.is_not(None))
        .order_by(InboxEvent.occurred_at.desc())
        .limit(limit)
    )
    for at, payload, reply in line.session.execute(statement):
        try:
            message = json.loads(payload).get("message") if payload else None
        except (ValueError, RecursionError, AttributeError):
            continue
        if isinstance(message, dict):
            yield Bubble(at, words_of([message]), is_ours=False)
        if reply:
            yield Bubble(at, words_of(reply), is_ours=True, note=_("自動"))


def sent_to(line: LineState, account: Account, *, limit: int) -> Sequence[OutboxMessage]:
    """Return the latest messages to a person, the latest first."""
    statement = (
        select(OutboxMessage)
        .where(OutboxMessage.account_id == account.id)
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    )
    return line.session.scalars(statement).all()


def _sent(sent: Iterable[OutboxMessage]) -> Iterable[Bubble]:
    for row in sent:
        if row.state == "cancelled":
            continue
        is_staffs = (row.dedupe_key or "").startswith(KEY)
        parts = [state_note(row.state), "" if is_staffs else _("自動")]
        note = "・".join(part for part in parts if part)
        at = row.accepted_at or row.created_at
        yield Bubble(at, words_of(json.loads(row.messages)), is_ours=True, note=note)
