"""Published scenarios, their versions, and members' ways through them."""

from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import BigInteger
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import String
from sqlalchemy import Text
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from .base import LineBase
from .base import MemberKey
from .base import UtcDateTime
from .base import partial_index

SCENARIO_STATES = ("running", "paused", "stopped")
#: Of a run that has not ended.
IS_LIVE = "ended_at IS NULL"
#: Of a live run that the clock wakes; one of a paused scenario sleeps on until it is resumed.
IS_TIMED = "ended_at IS NULL AND due_at IS NOT NULL"
#: Of a scenario that is asked, time and again, for whom it begins.
IS_ASKED = "next_at IS NOT NULL AND state = 'running'"
HAS_ENDED = "ended_at IS NOT NULL"


class PublishedScenario(LineBase):
    """A scenario that was published, by its name.

    State: ``running`` ⇄ ``paused``; ``stopped`` until it is published again.
    """

    __tablename__ = "lineconnect_scenario"
    __table_args__ = (partial_index("scenario_next", "next_at", where=IS_ASKED),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="running")
    #: The number of the version that new runs get.
    version: Mapped[int] = mapped_column(default=1)
    #: Of one that begins with no event: when it is next asked for whom it begins.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The day that names the time which ``next_at`` is the moment of: a zone may change meanwhile.
    next_day: Mapped[date | None]
    #: The last member for whom a beginning for many has been seen to; absent between two of them.
    cursor: Mapped[Any | None] = mapped_column(MemberKey, info={"ondelete": None})
    #: Why it could not be asked for whom it begins: a segment or an attribute is gone.
    problem: Mapped[str | None] = mapped_column(Text)


class ScenarioVersion(LineBase):
    """What a scenario was when it was published; never changed, runs keep theirs."""

    __tablename__ = "lineconnect_scenario_version"
    __table_args__ = (
        UniqueConstraint("scenario_id", "number", name="uq_lineconnect_scenario_version_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scenario_id: Mapped[int] = mapped_column(ForeignKey(PublishedScenario.id, ondelete="CASCADE"))
    number: Mapped[int]
    #: As ``marketing/scenarios/reading.py`` writes it.
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: SHA-256 of the definition without its label, which may be translated; in hexadecimal.
    digest: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScenarioRun(LineBase):
    """One member's way through a scenario, and what it is about."""

    __tablename__ = "lineconnect_scenario_run"
    __table_args__ = (
        # One live run for each member and key; also what an event of the member's is held against.
        partial_index(
            "scenario_run_live", "member_id", "scenario_id", "key", where=IS_LIVE, is_unique=True
        ),
        partial_index("scenario_run_due", "due_at", where=IS_TIMED),
        # Whether it may begin again for a member.
        Index("ix_lineconnect_scenario_run_again", "member_id", "scenario_id", "key", "began_at"),
        partial_index("scenario_run_of", "scenario_id", "step", where=IS_LIVE),
        Index("ix_lineconnect_scenario_run_version", "version_id"),
        partial_index("scenario_run_ended", "scenario_id", "ended_at", where=HAS_ENDED),
        # The key of a message names its run by the id, which therefore must never come again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    scenario_id: Mapped[int] = mapped_column(ForeignKey(PublishedScenario.id, ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey(ScenarioVersion.id, ondelete="CASCADE"))
    member_id: Mapped[Any] = mapped_column(MemberKey, info={"ondelete": "CASCADE"})
    #: What it is about: an order, a cart's version, a day; nothing where it is the member alone.
    key: Mapped[str] = mapped_column(String(255), default="")
    #: The step that comes next; ``end`` while its last messages are on their way.
    step: Mapped[str] = mapped_column(String(60))
    #: When it is next looked at; ``None`` when it has ended, or its scenario is paused.
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When it came to the step: from then on its wait counts.
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: ``finished``, ``goal``, ``exit: order.placed``, ``unlinked``, ``stopped``, ``too old``,
    #: ``restarted`` or ``failed``; an erased person's runs are erased.
    end_reason: Mapped[str | None] = mapped_column(String(120))
    #: What the event said that began it, in its written form.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: What that event was about.
    subject: Mapped[str | None] = mapped_column(String(255))
    #: That event, which may be gone by now.
    event_id: Mapped[int | None] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"))
    #: Counted after attempts at the step that failed.
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)


class ScenarioStep(LineBase):
    """What one step of a run did, and why."""

    __tablename__ = "lineconnect_scenario_step"

    run_id: Mapped[int] = mapped_column(
        ForeignKey(ScenarioRun.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    step: Mapped[str] = mapped_column(String(60), primary_key=True)
    #: ``queued`` (into the outbox), ``dropped``, ``skipped``, ``branched``, ``passed`` or
    #: ``waiting``.
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScenarioMember(LineBase):
    """A member whom a scenario's segment chose when it was last looked at."""

    __tablename__ = "lineconnect_scenario_member"

    scenario_id: Mapped[int] = mapped_column(
        ForeignKey(PublishedScenario.id, ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    member_id: Mapped[Any] = mapped_column(
        MemberKey, primary_key=True, index=True, info={"ondelete": "CASCADE"}
    )
    since: Mapped[datetime] = mapped_column(UtcDateTime)
