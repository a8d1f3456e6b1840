"""Writes the messages of campaigns that say something else to each person, a portion at a time.

Run by the engines. A portion's messages and how far it came are one transaction: whoever dies
writes nobody's twice and misses nobody, and a hundred thousand need no more memory than one
portion. A message that can't be written for somebody is written down there, and the rest goes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from functools import partial
from typing import Any
from typing import NamedTuple
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...error_words import for_log
from ...errors import UsageError
from ...log_fields import log_fields
from ...messages.objects import JsonObject
from ...models import Account
from ...models import Campaign
from ...models import CampaignMember
from ...models.outbox import IS_MAKING
from ...models.sqlite import begin_writing
from ...outbox.campaign_ends import end_campaigns
from ...state import LineState
from ..scenarios.cards import CardWish
from ..scenarios.cards import card_values
from ..scenarios.cards import manner_for
from ..scenarios.definition import Step
from ..scenarios.knowing import members_of
from ..scenarios.knowing import zones_of
from ..scenarios.wordings import OF_SHOP
from ..scenarios.wordings import StepMessages
from ..scenarios.wordings import language_of
from ..scenarios.wordings import own_values
from ..scenarios.writing import put
from ..segments.attributes import Attributes
from ..segments.values_of import values_of
from ..trying import Work
from ..trying import do_or_say
from .beginning import is_recipient
from .beginning import wish_of
from .definition import Definition
from .linking import link_ahead
from .linking import link_written
from .messages import messages_for
from .messages import messages_of
from .messages import step_of
from .names import message_key
from .reading import read_campaign

logger = logging.getLogger(__name__)

#: People of one transaction, and portions after which other work has its turn.
PORTION, PORTIONS_AT_ONCE = 500, 4
#: Why somebody gets nothing whose message can't be written.
TEMPLATE = "template"
#: Of retry keys; any UUID that nobody else uses.
_KEYS = uuid.UUID("0b7e4d52-6f0e-4a1f-9d33-5c2b7a90e1d8")
_MEMBER = cast(Table, CampaignMember.__table__)


def make_due(line: LineState) -> int:
    """Write some messages of each campaign that has more; return how many people were looked at."""
    with line.work_context():
        statement = _due(line.clock()).with_only_columns(Campaign.id)
        ids = line.session.scalars(statement).all()
    return sum(_make_some(line, campaign_id) for campaign_id in ids)


def preview(
    line: LineState, definition: Definition, variant: str, account: Account
) -> list[dict[str, Any]]:
    """Return a variant's messages as one person would get them.

    :raises UsageError: they can't be written for them.
    """
    step = step_of(next(one for one in definition.variants if one.name == variant))
    messages, portion = messages_for(line), _Portion(line, 0, "", definition, line.clock())
    one = _Person(account.member_id, account.id, variant, account.language)
    known = portion.know(messages, {variant: step}, [one])
    return portion.write_one(messages, step, one, known)


def next_making_at(session: Session) -> datetime | None:
    """Return when more is to be written next, if any is, which may be past."""
    return session.scalar(select(func.min(Campaign.next_at)).where(text(IS_MAKING)))


def _due(now: datetime) -> Any:
    is_due = text(IS_MAKING), Campaign.next_at <= now
    return select(Campaign).where(*is_due).order_by(Campaign.next_at)


def _make_some(line: LineState, campaign_id: int) -> int:
    total = 0
    for _portion in range(PORTIONS_AT_ONCE):
        if line.stopping.is_set():
            break
        with line.work_context():
            count = do_or_say(line, _MAKING, campaign_id)
        total += count
        if count < PORTION:
            break
    return total


def _make(line: LineState, campaign_id: int) -> int:
    session, now = line.session, line.clock()
    row = session.scalars(_due(now).where(Campaign.id == campaign_id)).one_or_none()
    if row is None:
        session.rollback()
        return 0
    key, began_at, cursor = row.key, row.created_at, row.cursor
    definition = read_campaign(key.partition(":")[0], row.definition)
    people = [_Person(*found) for found in session.execute(_people(campaign_id, cursor))]
    portion = _Portion(line, campaign_id, key, definition, began_at)
    portion.write(people)
    session.rollback()
    portion.link()
    if not _take(session, campaign_id, cursor, now):
        return 0
    portion.put(now)
    is_last = len(people) < PORTION
    changes: dict[str, Any] = {"recipients": Campaign.recipients + len(portion.rows)}
    changes |= {"next_at": None} if is_last else {"cursor": people[-1].member_id}
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(problem=None, **changes)
        .execution_options(synchronize_session=False)
    )
    if is_last:
        end_campaigns(session, Campaign.id == campaign_id, now=now)
    after_commit(session, partial(line.engine.wake, "delivery"))
    session.commit()
    return len(people)


_MAKING = Work(
    model=Campaign,
    do=_make,
    plain=UsageError,
    subject="campaign",
    name="key",
    failed="the messages of the campaign %s could not be written",
    event="campaign_not_made",
)


def _people(campaign_id: int, cursor: Any) -> Any:
    """Return the next people in the order of their keys, with the language that each reads."""
    statement = (
        select(
            CampaignMember.member_id,
            CampaignMember.account_id,
            CampaignMember.variant,
            Account.language,
        )
        # Who unlinked since is not written to; the key may be another member's by now.
        .join(
            Account,
            (Account.id == CampaignMember.account_id)
            & (Account.member_id == CampaignMember.member_id),
        )
        .where(is_recipient(campaign_id))
        .order_by(CampaignMember.member_id)
        .limit(PORTION)
    )
    return statement if cursor is None else statement.where(CampaignMember.member_id > cursor)


def _take(session: Session, campaign_id: int, cursor: Any, now: datetime) -> bool:
    """Begin a transaction that nobody else has for this campaign; tell whether it stands there."""
    begin_writing(session)
    statement = _due(now).where(Campaign.id == campaign_id).with_only_columns(Campaign.cursor)
    found = session.execute(statement.with_for_update()).one_or_none()
    if found is not None and found.cursor == cursor:
        return True
    session.rollback()
    return False


class _Person(NamedTuple):
    """Whom a message is for."""

    member_id: Any
    account_id: int
    variant: str
    language: str | None


@dataclass(slots=True)
class _Known:
    """What the messages of some people are made of; by member, where it differs."""

    values: Mapping[Any, Mapping[str, Any]]
    rows: Mapping[Any, Any]
    cards: Mapping[Any, Mapping[str, Any]]
    zone_of: Callable[[Any], ZoneInfo]
    shop: dict[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class _Portion:
    """Some people's messages, until they are put into the outbox.

    :ivar rows: what is put into the outbox; ``variants`` has that of each.
    :ivar failed: whose can't be written.
    :ivar is_linked: whether their links lead where they are to lead.
    """

    line: LineState
    campaign_id: int
    key: str
    definition: Definition
    began_at: datetime
    rows: list[dict[str, Any]] = field(default_factory=list)
    variants: list[str] = field(default_factory=list)
    failed: list[Any] = field(default_factory=list)
    is_linked: bool = False

    def write(self, people: Sequence[_Person]) -> None:
        """Write a message for each; whoever's can't be is noted.

        :raises UsageError: a value that all of them need is gone.
        """
        if not people:
            return
        messages = messages_of(self.line, self.campaign_id)
        steps = {variant.name: step_of(variant) for variant in self.definition.variants}
        known = self.know(messages, steps, people)
        wish = wish_of(self.line, self.definition, self.began_at)
        fixed = {
            "category": wish.category.name,
            "priority": wish.priority,
            "expires_at": wish.expires_at,
            "campaign_id": self.campaign_id,
        }
        failure: Exception | None = None
        for one in people:
            try:
                written = self.write_one(messages, steps[one.variant], one, known)
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:  # one person's message must hold back nobody else's
                failure = failure or error
                self.failed.append(one.member_id)
                continue
            self.variants.append(one.variant)
            self.rows.append(
                {
                    **fixed,
                    "account_id": one.account_id,
                    "messages": written,
                    "dedupe_key": message_key(self.campaign_id, one.member_id),
                    "retry_key": str(uuid.uuid5(_KEYS, f"{self.key}:{one.member_id}")),
                }
            )
        if failure is not None:
            self._log(failure)

    def know(
        self, messages: StepMessages, steps: Mapping[str, Step], people: Sequence[_Person]
    ) -> _Known:
        """Read what the messages are made of, for all of these people at once."""
        line, ids = self.line, [one.member_id for one in people]
        names = {name for step in steps.values() for name in messages.names(step)}
        attributes = names & {one.name for one in line.part(Attributes)}
        has_names = any(messages.names_member(step) for step in steps.values())
        rows: Mapping[Any, Any] = members_of(line, ids) if has_names else {}
        return _Known(
            values=values_of(line, sorted(attributes), ids) if attributes else {},
            rows=rows,
            cards=self._cards(messages, steps, people, rows),
            zone_of=zones_of(line, ids),
        )

    def write_one(
        self, messages: StepMessages, step: Step, one: _Person, known: _Known
    ) -> list[JsonObject]:
        """Return one person's messages as message objects.

        :raises UsageError: they can't be written.
        """
        line, language, member_id = self.line, language_of(one.language), one.member_id
        names = messages.names(step)
        if language not in known.shop:
            known.shop[language] = own_values(line, names & {OF_SHOP}, None, language)
        own = own_values(line, names - {OF_SHOP}, known.rows.get(member_id), language)
        values = {
            **known.shop[language],
            **own,
            **known.values.get(member_id, {}),
            **known.cards.get(member_id, {}),
        }
        return messages.objects(step, values, manner_for(line, language, known.zone_of(member_id)))

    def link(self) -> None:
        """Write the messages as JSON, whose tracked links lead through the shop; commits."""
        self.is_linked = not self.rows or link_ahead(*self._linking)

    @property
    def _linking(self) -> Any:
        messages = messages_of(self.line, self.campaign_id)
        line, campaign_id = self.line, self.campaign_id
        return line, self.definition, messages, campaign_id, self.rows, self.variants

    def put(self, now: datetime) -> None:
        """Put the messages into the outbox, and note whose there are not."""
        session = self.line.session
        if self.rows:
            put(session, self.rows, now=now)
        if not self.is_linked:
            link_written(*self._linking)
        if self.failed:
            session.execute(
                update(_MEMBER)
                .where(
                    _MEMBER.c.campaign_id == self.campaign_id,
                    _MEMBER.c.member_id.in_(self.failed),
                )
                .values(reason=TEMPLATE)
            )

    def _cards(
        self,
        messages: StepMessages,
        steps: Mapping[str, Step],
        people: Sequence[_Person],
        rows: Mapping[Any, Any],
    ) -> Mapping[Any, Mapping[str, Any]]:
        """Ask the shop for the products and coupons of all messages at once."""
        wishes = {
            one.member_id: CardWish(
                member=rows.get(one.member_id),
                member_id=one.member_id,
                drafts=messages.drafts(steps[one.variant]),
                facts={},
                product_facts=(),
                since=self.began_at,
                language=language_of(one.language),
            )
            for one in people
            if messages.asks_shop(steps[one.variant])
        }
        if not wishes:
            return {}
        return dict(zip(wishes, card_values(self.line, list(wishes.values())), strict=True))

    def _log(self, failure: Exception) -> None:
        """Say how many people's messages could not be written, and why the first one could not."""
        told = None if isinstance(failure, UsageError) else for_log(failure)
        logger.warning(
            "the campaign %s: the messages of %d people can't be written%s; the others' go",
            self.key,
            len(self.failed),
            f": {failure}" if told is None else "",
            exc_info=told,
            extra=log_fields("messages_not_made", campaign=self.key, count=len(self.failed)),
        )
