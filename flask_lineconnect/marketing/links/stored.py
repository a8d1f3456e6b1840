"""The rows of tracked links: each is made once, never changed, and then known to a process."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from functools import partial
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar
from typing import cast

from sqlalchemy import Table
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from ...after_commit import after_commit
from ...errors import UsageError
from ...models import Campaign
from ...models import PublishedScenario
from ...models import TrackedLink

_TABLE = cast(Table, TrackedLink.__table__)
#: In the order of :class:`KnownLink`.
_COLUMNS = (
    TrackedLink.id,
    TrackedLink.target,
    TrackedLink.expires_at,
    TrackedLink.campaign_id,
    TrackedLink.scenario_id,
    TrackedLink.step,
    TrackedLink.variant,
    TrackedLink.label,
    Campaign.key,
    PublishedScenario.name,
)
#: Keys in one statement; SQLite took no more than 999 values before 3.32.
_AT_ONCE = 80
#: How many links a process remembers of each kind.
MOST_KNOWN = 10_000
MAX_SOURCE = 100
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOwner:
    """What a link belongs to: a campaign, a scenario's step, a rich menu, a QR code.

    :ivar variant: of a message that has several.
    :ivar source: where it stands otherwise: ``menu:NAME``, ``qr:LABEL``, ``message``.
    :ivar expires_at: from when it leads nowhere any more; aware.
    :ivar utm: parameters for the shop's own statistics, ``{"utm_source": "line"}``; the target
        gets those that it has not.
    """

    campaign_id: int | None = None
    scenario_id: int | None = None
    step: str = ""
    variant: str = ""
    source: str = ""
    expires_at: datetime | None = None
    utm: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no row holds.

        :raises UsageError: says what.
        """
        if len(self.source) > MAX_SOURCE or "\0" in self.source:
            raise UsageError(f"the source of a link has at most {MAX_SOURCE} characters")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise UsageError("`expires_at` is a time without a zone; give an aware one")
        wrong = [name for name in self.utm if not name.startswith("utm_")]
        if wrong:
            raise UsageError(f"{wrong[0]!r} is no utm parameter; they begin with utm_")


class LinkWish(NamedTuple):
    """A link that is to have a row.

    :ivar place: in its message; two links of one message to the same target are two.
    """

    owner: LinkOwner
    place: str
    target: str
    label: str

    @property
    def key(self) -> str:
        """What tells it from all others."""
        owner = self.owner
        named = [
            *(owner.campaign_id, owner.scenario_id, owner.step, owner.variant, owner.source),
            *(owner.expires_at and owner.expires_at.timestamp(), self.place, self.target),
        ]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()

    def row(self, now: datetime) -> dict[str, Any]:
        """Return its row."""
        owner = self.owner
        return {
            "key": self.key,
            "campaign_id": owner.campaign_id,
            "scenario_id": owner.scenario_id,
            "step": owner.step,
            "variant": owner.variant,
            "source": owner.source,
            "label": self.label,
            "target": self.target,
            "created_at": now,
            "expires_at": owner.expires_at,
        }


@dataclass(frozen=True, slots=True)
class KnownLink:
    """What a click needs of a link's row.

    :ivar campaign: the campaign's key.
    :ivar scenario: the scenario's name.
    """

    id: int
    target: str
    expires_at: datetime | None
    campaign_id: int | None
    scenario_id: int | None
    step: str
    variant: str
    label: str
    campaign: str | None = None
    scenario: str | None = None

    @property
    def is_of_message(self) -> bool:
        """Whether it stands in a campaign's message or a scenario's."""
        return self.campaign_id is not None or self.scenario_id is not None


class Remembered(Generic[K, V]):
    """Rows that never change: those that were read last, for all threads."""

    def __init__(self, most: int = MOST_KNOWN):
        self._most = most
        self._values: dict[K, V] = {}
        self._changing = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what is remembered of a key."""
        return self._values.get(key)

    def put(self, values: Mapping[K, V]) -> None:
        """Remember more, and forget what came first if it is too much."""
        with self._changing:
            self._values.update(values)
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]

    def forget(self, key: K) -> None:
        """Forget one that may be gone."""
        with self._changing:
            self._values.pop(key, None)


class KnownLinks:
    """The links that one process has read: by id, for clicks; and by key, for messages.

    And how often they were opened just now.
    """

    def __init__(self) -> None:
        self.by_id: Remembered[int, KnownLink] = Remembered()
        self.by_key: Remembered[str, int] = Remembered()
        self._taps: Remembered[str, tuple[int, int]] = Remembered()

    def note_tap(self, who: str, minute: int) -> int:
        """Return how often somebody has opened a link in this minute, of all minutes' count."""
        before, number = self._taps.get(who) or (minute, 0)
        number = number + 1 if before == minute else 1
        self._taps.put({who: (minute, number)})
        return number


def find(session: Session, known: KnownLinks, link_id: int) -> KnownLink | None:
    """Return a link; ``None`` if it is gone with what it belonged to."""
    found = known.by_id.get(link_id)
    if found is not None:
        return found
    statement = (
        select(*_COLUMNS)
        .outerjoin(Campaign, Campaign.id == TrackedLink.campaign_id)
        .outerjoin(PublishedScenario, PublishedScenario.id == TrackedLink.scenario_id)
        .where(TrackedLink.id == link_id)
    )
    row = session.execute(statement).first()
    if row is None:
        return None
    found = KnownLink(*tuple(row))
    known.by_id.put({link_id: found})
    return found


def make(
    session: Session, known: KnownLinks, wishes: Iterable[LinkWish], *, now: datetime
) -> dict[str, int]:
    """Return the ids of links by their keys; those that are new get rows in the transaction."""
    by_key = {wish.key: wish for wish in wishes}
    ids = {key: one for key in by_key if (one := known.by_key.get(key)) is not None}
    # In one order everywhere, so that no two transactions wait for each other.
    missing = sorted(by_key.keys() - ids.keys())
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        found = _stored(session, some)
        rows = [by_key[key].row(now) for key in some if key not in found]
        found |= _insert(session, rows)
        ids |= found
    if missing:
        new = {key: ids[key] for key in missing}
        # What is rolled back must not be remembered.
        after_commit(session, partial(known.by_key.put, new))
    return ids


def _stored(session: Session, keys: Collection[str]) -> dict[str, int]:
    rows = session.execute(select(_TABLE.c.key, _TABLE.c.id).where(_TABLE.c.key.in_(keys)))
    return {key: link_id for key, link_id in rows}


def _insert(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    if not rows:
        return {}
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(_TABLE) if is_sqlite else postgresql.insert(_TABLE)
    # Whoever comes second reads the row of the first; one that does nothing returns nothing.
    statement = insert.values(list(rows)).on_conflict_do_update(
        index_elements=[_TABLE.c.key], set_={"key": insert.excluded.key}
    )
    found = session.execute(statement.returning(_TABLE.c.key, _TABLE.c.id))
    return {key: link_id for key, link_id in found}
