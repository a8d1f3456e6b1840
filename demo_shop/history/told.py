"""What the parts of the history share: chance, time, the people, and what becomes of them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import Any

from .counts import Counts
from .rows import Rows

#: How long the shop has been on LINE.
SPAN = timedelta(days=730)
#: How long the extension keeps what members did and were sent, and the messages themselves.
EVENTS, MESSAGES = timedelta(days=399), timedelta(days=89)
#: How busy each month is: gifts in December and July, new tea in May, quiet Augusts.
SEASONS = (0.9, 0.8, 1.0, 1.05, 1.5, 1.0, 1.25, 0.65, 0.9, 1.1, 1.15, 1.7)


@dataclass(slots=True)
class Person:
    """A member.

    :ivar eagerness: how many orders a year are theirs, by themselves.
    :ivar blocked_at: when they blocked the official account, if they did.
    """

    id: int
    name: str
    postal_code: str
    address: str
    phone: str
    joined_at: datetime
    eagerness: float
    account_id: int | None = None
    linked_at: datetime | None = None
    blocked_at: datetime | None = None
    source: str | None = None
    born_on: date | None = None
    #: The last message before they blocked, and what it belongs to.
    touched_at: datetime | None = None
    touched_by: Mapping[str, Any] = field(default_factory=dict)

    def is_reached(self, at: datetime) -> bool:
        """Tell whether a message reaches them at a time."""
        is_linked = self.linked_at is not None and self.linked_at < at
        return is_linked and (self.blocked_at is None or self.blocked_at > at)


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order.

    :ivar owner: to which campaign, variant and link it belongs, where the facts are kept no longer.
    """

    at: datetime
    person: Person
    owner: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as it was written."""

    id: int
    number: str
    at: datetime
    person: Person


@dataclass(slots=True)
class Told:
    """The history as far as it is told."""

    chance: random.Random
    rows: Rows
    now: datetime
    people: list[Person] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)

    @property
    def began_at(self) -> datetime:
        """When the shop came to LINE."""
        return self.now - SPAN

    def line_user_id(self, person: Person | None) -> str:
        """Return a LINE user id: a person's own, or nobody's."""
        number = self.chance.getrandbits(128)
        if person is not None:
            number = random.Random(f"line:{person.id}").getrandbits(128)
        return f"U{number:032x}"

    def moment(self, first: datetime, last: datetime) -> datetime:
        """Return a time between two, when people are awake, in the shop's zone."""
        at = first + (last - first) * self.chance.random()
        hour = min(max(int(self.chance.gauss(16, 4)), 7), 23)
        # Nine hours: the shop is in Japan.
        at = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour - 9)
        at += timedelta(seconds=self.chance.randrange(3600))
        return min(max(at, first), last)

    def event(
        self, name: str, person: Person, at: datetime, *, subject: str | None = None, **facts: Any
    ) -> None:
        """Let a member have done something, if it is still kept."""
        if self.now - at < EVENTS:
            self.rows.add_line(
                "member_event",
                id=self.rows.new_line_id("member_event"),
                name=name,
                member_id=person.id,
                account_id=person.account_id if name.startswith("line.") else None,
                subject=subject,
                facts=facts,
                occurred_at=at,
                attempts=0,
            )

    def touch(
        self,
        person: Person,
        at: datetime,
        category: str,
        owner: Mapping[str, Any],
        message: int | None = None,
    ) -> None:
        """Let LINE have accepted a message for a member, and count it.

        :param owner: the campaign or the scenario, the step, the variant.
        """
        is_kept = self.now - at < EVENTS
        self.counts.add("accepted", at, is_kept=is_kept, **owner)
        if person.touched_at is None or at > person.touched_at:
            person.touched_at, person.touched_by = at, owner
        if is_kept:
            self.rows.add_line(
                "touch",
                member_id=person.id,
                account_id=person.account_id,
                campaign_id=owner.get("campaign_id"),
                scenario_id=owner.get("scenario_id"),
                step=owner.get("step", ""),
                variant=owner.get("variant", ""),
                message_id=message,
                category=category,
                accepted_at=at,
            )

    def tap(self, person: Person, at: datetime, link_id: int, owner: Mapping[str, Any]) -> None:
        """Let a member have opened the link of a message, and count it."""
        is_kept = self.now - at < EVENTS
        self.counts.add("clicks", at, link_id=link_id, is_kept=is_kept, **owner)
        if is_kept:
            self.rows.add_line(
                "click",
                link_id=link_id,
                member_id=person.id,
                account_id=person.account_id,
                clicked_at=at,
                kind="person",
            )

    def link(self, text: str, at: datetime, target: str, **owner: Any) -> int:
        """Write a link of a message; return its key."""
        key = self.rows.new_line_id("tracked_link")
        values = {"campaign_id": None, "scenario_id": None, "step": "", "variant": ""} | owner
        self.rows.add_line(
            "tracked_link",
            id=key,
            key=hashlib.sha256(f"history:{key}".encode()).hexdigest(),
            source="",
            label=text,
            target=target,
            created_at=at,
            **values,
        )
        return key

    def message(
        self, person: Person, at: datetime, category: str, text: str, **more: Any
    ) -> int | None:
        """Write a message that LINE accepted, if it is still kept; return its key."""
        if self.now - at >= MESSAGES:
            return None
        key = self.rows.new_line_id("outbox_message")
        values = {"campaign_id": None, "run_id": None, "dedupe_key": None} | more
        self.rows.add_line(
            "outbox_message",
            id=key,
            account_id=person.account_id,
            category=category,
            priority=1,
            messages=json.dumps([{"type": "text", "text": text}], ensure_ascii=False),
            state="accepted",
            attempts=1,
            claims=1,
            is_uncertain=False,
            created_at=at,
            first_tried_at=at,
            accepted_at=at,
            **values,
        )
        return key
