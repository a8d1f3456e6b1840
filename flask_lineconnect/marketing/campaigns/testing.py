"""Sends a campaign's messages to given members, to look at: all variants, whoever they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select

from ...after_commit import after_commit
from ...errors import UsageError
from ...models import Account
from ...outbox import queue
from ...shop.categories import ACCOUNT
from ...state import LineState
from ..segments.compiler import member_key_of
from .definition import Definition
from .making import preview


def send_test(line: LineState, definition: Definition, member_ids: Sequence[Any]) -> int:
    """Put each variant's message into the outbox for these members; return how many messages.

    Inside the caller's transaction. They count to no campaign, and whoever declined such messages
    gets them, too: for staff.

    :raises UsageError: a member has no LINE account, or a message can't be written for one; says
        whose.
    """
    now, total = line.clock(), 0
    key = member_key_of(line.shop.model)
    for member_id in member_ids:
        found = select(Account).join(line.shop.model, key == Account.member_id)
        account = line.session.scalars(found.where(Account.member_id == member_id)).one_or_none()
        if account is None:
            raise UsageError(f"the member {member_id} is not linked to a LINE account")
        for variant in definition.variants:
            messages = preview(line, definition, variant.name, account)
            queue.enqueue(line.session, account, messages, queue.Wish(ACCOUNT), key=None, now=now)
            total += 1
    after_commit(line.session, partial(line.engine.wake, "delivery"))
    return total
