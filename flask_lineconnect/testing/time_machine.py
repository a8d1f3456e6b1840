"""A shop that travels in time with LINE: its clock goes by the emulator's.

On the way it stops wherever its database says that something is due, and does it there: so what is
sent on the third day stands on the phone with the date of the third day. Segments that begin
scenarios are looked at there, too, and once a day at the least.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from flask import Flask
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session

from ..engines.work import WORK
from ..engines.work import run_due
from ..line_api.client import LineApi
from ..linking.unlink_tasks import tell_line_due
from ..models import Campaign
from ..models import CampaignPlan
from ..models import InboxEvent
from ..models import MemberEvent
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import PublishedScenario
from ..models import ScenarioRun
from ..models import SendingPause
from ..models import UnlinkTask
from ..state import EXTENSION_KEY
from ..state import LineState
from .emulator import Emulator

#: When something is due, of all that an engine looks for.
DUE: tuple[InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None], ...] = (
    MemberEvent.next_attempt_at,
    OutboxMessage.next_attempt_at,
    OutboxBatch.next_attempt_at,
    SendingPause.until,
    InboxEvent.next_attempt_at,
    UnlinkTask.next_attempt_at,
    ScenarioRun.due_at,
    CampaignPlan.next_at,
    Campaign.next_at,
)
#: A move of the clock that no token of LINE's notices.
SHORT = timedelta(seconds=10)
#: How long a way without a look at the segments is.
LOOK_EVERY = timedelta(days=1)


class TravellingShop:
    """An app whose clock goes by the emulator's."""

    def __init__(self, app: Flask):
        self._line: LineState = app.extensions[EXTENSION_KEY]
        self._ahead = timedelta(0)
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return self._stopped_at or datetime.now(UTC) + self._ahead

    def follow(self, now: datetime, *, is_stopped: bool) -> None:
        """Let it be the time that it is for LINE."""
        if abs(now - self.now()) > SHORT:
            # It believes by another clock that they live.
            api = self._line.part(LineApi)
            api.messaging_token.forget()
            api.login_token.forget()
        self._stopped_at = now if is_stopped else None
        self._ahead = now - datetime.now(UTC)

    def work(self) -> None:
        """Do what is due on the way, and what becomes due by that; what fails is raised."""
        kinds = [do for kind, do in WORK.items() if kind != "upkeep"]
        while sum(do(self._line) for do in (*kinds, tell_line_due)):
            pass

    def arrive(self) -> None:
        """Do what is due at the end of the way, tidying up included; what fails is raised."""
        while run_due(self._line):
            pass

    def next_due(self) -> datetime | None:
        """Return when something is due next, after now."""
        now = self.now()
        with self._line.app.app_context():
            session = self._line.session
            found = [session.scalar(select(func.min(at)).where(at > now)) for at in DUE]
            found += [self._next_start(session, now)]
        return min((at for at in found if at is not None), default=None)

    def _next_start(self, session: Session, now: datetime) -> datetime | None:
        """Return when a scenario begins next by itself, in whole days where a segment begins it."""
        is_running = PublishedScenario.state == "running", PublishedScenario.next_at > now
        starts = select(PublishedScenario.next_day, PublishedScenario.next_at).where(*is_running)
        return min(
            (
                at if day is not None and at is not None else now + LOOK_EVERY
                for day, at in session.execute(starts)
            ),
            default=None,
        )


@contextmanager
def travelling(app: Flask, emulator: Emulator) -> Iterator[None]:
    """Let an app go by LINE's clock until the block ends."""
    line: LineState = app.extensions[EXTENSION_KEY]
    shop, before = TravellingShop(app), line.clock
    emulator.travellers.append(shop)
    emulator.tell_time()
    line.clock = shop.now
    try:
        yield
    finally:
        emulator.travellers.remove(shop)
        line.clock = before
