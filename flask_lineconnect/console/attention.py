"""What needs somebody's attention, each with its mend; the most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

from sqlalchemy import ColumnElement
from sqlalchemy import TextClause
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import text

from ..doctor.engines import is_overdue
from ..models import InboxEvent
from ..models import LineBase
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models import PublishedScenario
from ..models import SendingPause
from ..models import UnlinkTask
from ..models.outbox import ENDS
from ..outbox import pauses
from ..outbox.by_hand import FAILED
from ..state import LineState
from . import writing
from .i18n import gettext as _
from .pages import to
from .staff import is_allowed
from .waiting import waiting_inquiries
from .why import why

#: Failures from before are old news.
LATELY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    :ivar mend: what the button says; empty where nobody here can mend it.
    """

    icon: str
    title: str
    text: str
    mend: str = ""
    url: str = ""


def tasks(line: LineState) -> list[Task]:
    """Return what is to be done now."""
    now = line.clock()
    paused = pauses.current(line.session, now=now)
    found = [*_waiting_inquiries(line), *_pauses(paused)]
    found += _workers(line, is_paused=bool(paused))
    messages, events, unlinks = _failures(line, now)
    found += [*_failed_messages(messages), *_failed_events(events), *_unlinks(unlinks)]
    return [*found, *_scenarios(line)]


def _waiting_inquiries(line: LineState) -> list[Task]:
    waiting = waiting_inquiries(line)
    if not waiting:
        return []
    return [
        Task(
            "inbox",
            _("お客様が%(n)s人、返信をお待ちです", n=len(waiting)),
            _("いちばん長い方で%(time)s", time=writing.waited(waiting[0].at)),
            _("返信する"),
            to("inbox"),
        )
    ]


def _pauses(paused: Sequence[SendingPause]) -> list[Task]:
    titles = {
        "unauthorized": _("LINEがお店の鍵を受け付けないため、配信が止まっています"),
        "quota": _("今月の通数を使い切ったため、配信が止まっています"),
        "budget": _("今月の予算を使い切ったため、配信が止まっています"),
        "reserve": _("残りを取り置くため、ご案内の配信が止まっています"),
    }
    return [
        Task("warn", titles[one.reason], one.detail, _("点検を見る"), _checks())
        for one in paused
        if one.reason in titles
    ]


def _workers(line: LineState, *, is_paused: bool) -> list[Task]:
    if not is_overdue(line, line.clock(), is_paused=is_paused):
        return []
    return [
        Task(
            "warn",
            _("送る仕事が進んでいません"),
            _("2分以上待っているものがあります。開発者に「点検」の画面を見せてください。"),
            _("点検を見る"),
            _checks(),
        )
    ]


def _failures(line: LineState, now: datetime) -> tuple[int, int, int]:
    """Count failed messages, events and unlinkings of late, in one statement."""
    messages = [
        _count(
            model,
            text(ENDS[column]),
            getattr(model, column) > now - LATELY,
            model.state.in_(FAILED),
        )
        for model in (OutboxMessage, OutboxBatch)
        for column in ("first_tried_at", "created_at")
    ]
    dead = InboxEvent.state == "dead", InboxEvent.finished_at.is_not(None)
    events = _count(InboxEvent, *dead, InboxEvent.occurred_at > now - LATELY)
    unlinks = _count(UnlinkTask, UnlinkTask.state == "failed")
    *sent, failed_events, failed_unlinks = line.session.execute(
        select(*messages, events, unlinks)
    ).one()
    return sum(sent), failed_events, failed_unlinks


def _count(
    model: type[LineBase], *is_meant: ColumnElement[bool] | TextClause
) -> ColumnElement[int]:
    return select(func.count()).select_from(model).where(*is_meant).scalar_subquery()


def _failed_messages(count: int) -> list[Task]:
    if not count:
        return []
    return [
        Task(
            "warn",
            _("%(n)s通のメッセージが届いていません", n=count),
            _("この7日のうちに、LINEに断られたか、期限が過ぎました。"),
            _("点検を見る"),
            _checks(),
        )
    ]


def _failed_events(count: int) -> list[Task]:
    if not count:
        return []
    return [
        Task(
            "warn",
            _("お客様のメッセージ%(n)s件に、自動の返信ができませんでした", n=count),
            _("お店のプログラムの不具合です。開発者に「点検」の画面を見せてください。"),
            _("点検を見る"),
            _checks(),
        )
    ]


def _unlinks(count: int) -> list[Task]:
    if not count:
        return []
    return [
        Task(
            "warn",
            _("%(n)s件の連携解除を、LINEに伝えられていません", n=count),
            _("お店の側では解除されています。開発者にお伝えください。"),
        )
    ]


def _scenarios(line: LineState) -> list[Task]:
    statement = select(PublishedScenario).where(
        PublishedScenario.problem.is_not(None), PublishedScenario.state == "running"
    )
    return [
        Task(
            "flow",
            _("シナリオ「%(name)s」が始まりません", name=row.name),
            why(row.problem or ""),
            _("シナリオを見る"),
            to("scenario", name=row.name),
        )
        for row in line.session.scalars(statement)
    ]


def _checks() -> str:
    return to("checks") if is_allowed("editor") else ""
