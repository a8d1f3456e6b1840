"""To whom LINE accepted how many messages, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import TextClause
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import true
from sqlalchemy import union_all

from ...i18n import gettext as _
from ...models import Account
from ...models import OutboxBatch
from ...models import OutboxMessage
from ...models.json_lists import elements_on
from ...models.outbox import ENDS
from ...shop.categories import Category
from .errors import InvalidRule

#: Instead of a category: all that are advertising, and every message.
ADVERTISING, ANYTHING = "advertising", "anything"


def categories_of(
    name: str, categories: Sequence[Category], *, place: str
) -> Collection[str] | None:
    """Return the categories that a rule means; ``None`` for all messages.

    A category that is called like one of our words is meant by it.

    :raises InvalidRule: there is no such category.
    """
    names = [one.name for one in categories]
    if name in names:
        return [name]
    if name == ADVERTISING:
        return [one.name for one in categories if one.is_marketing]
    if name == ANYTHING:
        return None
    raise InvalidRule(
        _(
            "お知らせの種類「%(name)s」はありません。使えるもの: %(known)s",
            name=name,
            known=", ".join([*names, ADVERTISING, ANYTHING]),
        ),
        place=place,
    )


def members_sent(
    categories: Collection[str] | None,
    since: datetime | None,
    dialect: str,
    *,
    at_least: int,
    at_most: int | None = None,
) -> Select[Any]:
    """Return the members to whom LINE accepted so many messages, each once.

    :param categories: which count; ``None``: all.
    :param at_least: one or more.
    """
    alone = (
        select(OutboxMessage.account_id.label("account_id"))
        .where(*_counts(OutboxMessage, categories, since))
        .select_from(OutboxMessage)
    )
    rows, account_id = elements_on(dialect, OutboxBatch.chosen_ids)
    in_batches = (
        select(account_id.label("account_id"))
        .select_from(OutboxBatch)
        .join(rows, true())
        # Of other batches each recipient has a message of their own.
        .where(OutboxBatch.campaign_id.is_not(None), *_counts(OutboxBatch, categories, since))
    )
    sent = union_all(alone, in_batches).subquery("sent")
    number = func.count()
    among = number >= at_least if at_most is None else number.between(at_least, at_most)
    return (
        select(Account.member_id.label("member_key"))
        .join(sent, sent.c.account_id == Account.id)
        .where(Account.member_id.is_not(None))
        .group_by(Account.member_id)
        .having(among)
    )


def _counts(
    model: type[OutboxMessage] | type[OutboxBatch],
    categories: Collection[str] | None,
    since: datetime | None,
) -> list[ColumnElement[bool] | TextClause]:
    found: list[ColumnElement[bool] | TextClause] = [model.state == "accepted"]
    if categories is not None:
        found.append(model.category.in_(categories))
    if since is not None:
        # What SQLite's partial index of these times is for, word for word.
        found += [model.accepted_at >= since, text(ENDS["accepted_at"])]
    return found
