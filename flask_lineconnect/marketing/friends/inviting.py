"""A campaign for friends who are no members: it invites them to register, or to link.

It goes the way of every campaign: quiet hours, the cap, the budget, and the question at the last
moment whether each may be sent it. Then everybody is left out who linked or blocked meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import Any
from typing import cast

from sqlalchemy import ColumnElement
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import true
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...config.plans import Estimate
from ...i18n import gettext as _
from ...messages.objects import ButtonsMessage
from ...messages.objects import Reply
from ...messages.objects import UriAction
from ...messages.objects import to_payloads
from ...models import Account
from ...models import Campaign
from ...models import OutboxBatch
from ...models.json_lists import elements
from ...outbox import queue
from ...outbox.budget import estimate
from ...outbox.rules import Rules
from ...shop.categories import INVITATION
from ...state import LineState

#: Where the link came from, as `flask line links` counts it.
SOURCE = "invitation"
#: LINE's limit on the text of a message with buttons, without a title.
_MOST_TEXT = 160


def invitation(line: LineState) -> Reply:
    """Return the ready-made message: two sentences, and the button that links."""
    shop = str(line.shop.name) or _("お店")
    text = _(
        "%(shop)sの会員になると、ご注文やポイントをこのトークで確認できます。",
        shop=shop,
    )
    more = _("会員登録、またはお持ちの会員との連携は、下のボタンからどうぞ。")
    whole = f"{text}\n{more}"
    address = line.url_for("lineconnect.login", source=SOURCE)
    button = UriAction(_("登録・連携する"), address)
    return ButtonsMessage(text=whole if len(whole) <= _MOST_TEXT else more, actions=[button])


def invite(
    line: LineState,
    key: str,
    message: Reply,
    *,
    send_at: datetime | None = None,
    expires_at: datetime | None = None,
    again_after: timedelta | None = None,
) -> Campaign:
    """Invite all friends who are not linked, inside the caller's transaction.

    :param key: names the campaign; beginning it again changes nothing.
    :param again_after: leave out who was invited within that time.
    :raises InvalidMessage: the message breaks one of LINE's limits.
    :raises UsageError: the key is none.
    """
    after_commit(line.session, partial(line.engine.wake, "delivery"))
    return queue.begin_campaign(
        line.session,
        _is_meant(line, again_after),
        to_payloads(message),
        queue.Wish(INVITATION, send_at, expires_at),
        line.part(Rules).policy,
        key=key,
        now=line.clock(),
    )


def estimate_invitation(line: LineState, *, again_after: timedelta | None = None) -> Estimate:
    """Say how many friends would be invited, and what that would cost."""
    rules, now = line.part(Rules), line.clock()
    is_meant = _is_meant(line, again_after)
    count = queue.count_recipients(line.session, is_meant, INVITATION, rules.policy, now=now)
    return estimate(line.session, rules.budget, count, INVITATION, now=now)


def _is_meant(line: LineState, again_after: timedelta | None) -> ColumnElement[bool]:
    if again_after is None:
        return true()
    return Account.id.not_in(_invited_since(line.session, line.clock() - again_after))


def _invited_since(session: Session, since: datetime) -> Any:
    """Return the accounts for which an invitation waits, or was made lately."""
    chosen = func.coalesce(OutboxBatch.chosen_ids, OutboxBatch.account_ids)
    rows, account_id = elements(session, cast(Any, chosen))
    return (
        select(account_id)
        .select_from(OutboxBatch)
        .join(rows, true())
        .where(
            OutboxBatch.category == INVITATION.name,
            OutboxBatch.created_at > since,
            OutboxBatch.state.in_(("queued", "sending", "accepted")),
        )
    )
