"""Who does the work: whether somebody takes what waits, and whether too many do."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta

from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import text

from ..models import InboxEvent
from ..models import LivingProcess
from ..models import OutboxBatch
from ..models import OutboxMessage
from ..models.outbox import IS_WAITING
from ..models.sqlite import is_in_memory
from ..outbox import by_hand
from ..outbox import pauses
from ..outbox.due import PRIORITIES
from ..state import LineState
from ..webhooks import forwarding
from ..webhooks.claims import LEASE
from .findings import Check
from .findings import Said
from .findings import doubtful
from .findings import fine
from .findings import unasked
from .findings import untold
from .findings import wrong
from .visit import Visit

#: What is due for longer waits for nobody: engines look every two seconds, and a lease or a retry
#: after a failure moves what it is about into the future.
OVERDUE = timedelta(minutes=2)
#: As long after it was seen a process counts; ``engines/presence.py`` notes it every minute.
SEEN_FOR = timedelta(minutes=3)
#: Failures from before are old news.
LATELY = timedelta(days=1)
_REASONS = {
    "unauthorized": "LINE refused the channel's token",
    "quota": "the month's messages are used up",
    "budget": "the month's budget is spent",
    "reserve": "what is left is kept for orders",
}
#: Of what is due so many are looked at.
MOST_LOOKED_AT = 100
#: Seconds for Celery's workers to say that they are there.
CELERY_SECONDS = 2.0
_BEGIN = {
    "thread": "send the shop a request, which begins the engine's threads, and look into its log",
    "worker": "run `flask line worker` beside the web processes, and look into its log",
    "celery": "run Celery's worker and beat with this app, and look into their logs",
}


def _workers(visit: Visit) -> Said:
    line, now = visit.line, visit.line.clock()
    engine = line.config.engine
    is_paused = bool(pauses.current(line.session, now=now))
    since = _waiting_since(line, now, is_paused=is_paused)
    if since is not None and now - since > OVERDUE:
        minutes = int((now - since).total_seconds() // 60)
        return wrong(
            f"something is due for {minutes} minutes and nobody works on it "
            f"(LINECONNECT_ENGINE={engine})",
            _BEGIN[engine],
        )
    if engine == "celery":
        return _celery(line)
    if engine == "worker":
        return untold(
            "nothing waits, so whether `flask line worker` runs can't be seen now",
            "look whether a service runs it; what waits for two minutes is told here",
        )
    return fine("nothing waits; the engine's threads begin with a process's first request")


def is_overdue(line: LineState, now: datetime, *, is_paused: bool) -> bool:
    """Tell whether something is due for so long that nobody seems to work on it."""
    since = _waiting_since(line, now, is_paused=is_paused)
    return since is not None and now - since > OVERDUE


def _waiting_since(line: LineState, now: datetime, *, is_paused: bool) -> datetime | None:
    """Return since when the oldest thing that somebody should work on is due."""
    if _is_somebody_at_work(line, now):
        # A long campaign is due as a whole, and takes its time.
        return None
    waits = [_event_since(line, now)]
    if not is_paused:
        waits.append(by_hand.oldest_due(line.session, now=now))
    return min((one for one in waits if one is not None), default=None)


def _event_since(line: LineState, now: datetime) -> datetime | None:
    due = line.session.execute(
        select(InboxEvent.next_attempt_at, InboxEvent.line_user_id)
        .where(InboxEvent.next_attempt_at <= now)
        .order_by(InboxEvent.occurred_at)
        .limit(MOST_LOOKED_AT)
    ).all()
    # Whose earlier event is tried again later waits for it.
    people = {person for _since, person in due if person is not None}
    later = select(InboxEvent.line_user_id).where(
        InboxEvent.next_attempt_at > now, InboxEvent.line_user_id.in_(people)
    )
    busy = set(line.session.scalars(later)) if people else set()
    return min((since for since, person in due if since and person not in busy), default=None)


def _is_somebody_at_work(line: LineState, now: datetime) -> bool:
    """Tell whether somebody holds something now, for as long as it takes."""
    holds_event = select(InboxEvent.webhook_event_id).where(
        InboxEvent.next_attempt_at > now, InboxEvent.next_attempt_at <= now + LEASE
    )
    holds = [
        select(model.id).where(
            model.priority.in_(PRIORITIES),
            text(IS_WAITING),
            model.state == "sending",
            model.next_attempt_at > now,
        )
        for model in (OutboxMessage, OutboxBatch)
    ]
    found = or_(*(one.limit(1).exists() for one in (holds_event, *holds)))
    return bool(line.session.scalar(select(found)))


def _celery(line: LineState) -> Said:
    celery = line.app.extensions["celery"]
    try:
        answers = celery.control.ping(timeout=CELERY_SECONDS)
    except Exception as error:  # each broker's library has errors of its own
        return unasked(
            f"Celery's broker does not answer ({type(error).__name__})",
            "look whether it runs, and whether LINECONNECT_CELERY_BROKER or the shop's Celery "
            "names it",
        )
    if answers:
        return fine(f"{len(answers)} of Celery's workers answer; whether beat runs can't be asked")
    return wrong("none of Celery's workers answers", _BEGIN["celery"])


def _engines(visit: Visit) -> Said | None:
    line = visit.line
    celery = line.app.extensions.get("celery")
    if line.config.engine == "celery" and celery is not None and celery.conf.task_always_eager:
        return wrong(
            "Celery runs tasks at once (task_always_eager), so hooks run inside of LINE's webhook",
            "leave task_always_eager out of the configuration outside of tests",
        )
    engine = line.db.engine
    if engine.dialect.name != "sqlite" or is_in_memory(engine):
        return None
    seen = LivingProcess.seen_at > line.clock() - SEEN_FOR
    living = line.session.scalars(select(LivingProcess).where(seen)).all()
    if len(living) < 2:
        return fine("one process works on the SQLite file")
    names = ", ".join(f"process {one.pid} of {one.host}" for one in living[:5])
    return doubtful(
        f"{len(living)} processes work on one SQLite file ({names}): one writes at a time, the "
        "others wait",
        "let one process with threads do everything (gunicorn --workers 1 --threads 8), or use "
        "PostgreSQL",
    )


def _counters(visit: Visit) -> Said | None:
    from ..config.settings import IN_MEMORY

    storage = visit.line.config.rate_limit_storage
    if storage == IN_MEMORY:
        return None
    from limits.storage import storage_from_string

    try:
        is_there = storage_from_string(storage).check()
    except Exception:  # each storage's library has errors of its own
        is_there = False
    if is_there:
        return fine("what LINECONNECT_RATE_LIMIT_STORAGE names answers")
    # The address holds a password.
    return wrong(
        "what LINECONNECT_RATE_LIMIT_STORAGE names does not answer",
        "look whether it runs, and whether the address names its host, port and password",
    )


def _pauses(visit: Visit) -> Said | None:
    line = visit.line
    found = pauses.current(line.session, now=line.clock())
    reasons = [one.reason for one in found if one.reason in _REASONS]
    if not reasons:
        return fine("nothing stands in the way of sending")
    why = ", ".join(_REASONS[reason] for reason in reasons)
    is_all = any(not one.is_for_marketing_only for one in found if one.reason in _REASONS)
    text = f"{'no message is' if is_all else 'no advertising is'} sent now: {why}"
    say = wrong if is_all else doubtful
    return say(text, "mend the cause, then `flask line resume`; `flask line quota` tells more")


def _failures(visit: Visit) -> Said:
    line = visit.line
    is_lately = InboxEvent.occurred_at > line.clock() - LATELY
    dead = InboxEvent.state == "dead", InboxEvent.finished_at.is_not(None), is_lately
    count = line.session.scalar(select(func.count()).select_from(InboxEvent).where(*dead))
    if not count:
        return fine("no hook failed in the last day")
    return doubtful(
        f"{count} webhook events of the last day failed, and their people had no answer",
        "`flask line inbox list` says why; mend the hook, then `flask line inbox replay`",
    )


def _forwards(visit: Visit) -> Said | None:
    line = visit.line
    if not line.config.forward_webhooks:
        return None
    late = [
        f"{host} ({count:,} webhooks, the oldest of {oldest:%Y-%m-%d %H:%M} UTC)"
        for host, (count, oldest) in forwarding.waiting(line).items()
        if line.clock() - oldest > OVERDUE
    ]
    if not late:
        return fine("further addresses have taken what was passed on to them")
    hours = int(forwarding.GIVE_UP_AFTER.total_seconds() // 3600)
    return doubtful(
        f"webhooks wait that LINECONNECT_FORWARD_WEBHOOKS passes on: {', '.join(late)}",
        "look whether the other tool runs and takes LINE's signature of this channel; the log says "
        f"what it answers. What is older than {hours} hours is given up",
    )


CHECKS = (
    Check("workers", _workers),
    Check("two-engines", _engines),
    Check("shared-counters", _counters),
    Check("pauses", _pauses),
    Check("failures", _failures),
    Check("forwarding", _forwards),
)
