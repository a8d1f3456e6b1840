"""Metrics for Prometheus: ``pip install flask-lineconnect[metrics]``, then ``LineMetrics(app)``.

No label holds anything of a person: endpoints, statuses, states, categories of the shop, reasons.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterator

from flask import Flask
from prometheus_client import REGISTRY
from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import and_
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from . import signals
from .line_api.calls import LineCall
from .models import InboxEvent
from .models import QuotaMonth
from .outbox import budget
from .outbox import by_hand
from .outbox import pauses
from .outbox.rules import Rules
from .state import EXTENSION_KEY
from .state import Healthy
from .state import LineState
from .webhooks import forwarding
from .webhooks.dispatch import Answering

#: Seconds: LINE answers within a tenth of one; ours time out after ten.
BUCKETS = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)


class LineMetrics:
    """Counts what this process does, and shows at each scrape what stands in the database.

    Call it after ``line.init_app(app)``. Counters and the histogram belong to the process that
    sends, so each web process, worker and Celery worker shows its own, or all of them share
    prometheus_client's ``PROMETHEUS_MULTIPROC_DIR``. What stands in the database is the same in
    each.

    :param registry: where the shop's own ``/metrics`` finds them.
    """

    def __init__(self, app: Flask, registry: CollectorRegistry = REGISTRY):
        self._requests = Counter(
            "lineconnect_line_requests",
            "Requests to LINE, by what LINE answered; status none: nothing came back.",
            ["endpoint", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "lineconnect_line_request_seconds",
            "How long LINE took to answer.",
            ["endpoint"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._ended = Counter(
            "lineconnect_messages",
            "Recipients whose message came to its end.",
            ["state"],
            registry=registry,
        )
        registry.register(StoredState(app))
        signals.line_called.connect(self._note_call)
        signals.messages_ended.connect(self._note_end, app)
        # Signals hold their receivers weakly.
        app.extensions["lineconnect_metrics"] = self

    def _note_call(self, _sender: object, call: LineCall) -> None:
        status = "none" if call.status is None else str(call.status)
        self._requests.labels(call.endpoint, status).inc()
        self._seconds.labels(call.endpoint).observe(call.seconds)

    def _note_end(self, _sender: object, state: str, recipients: int) -> None:
        self._ended.labels(state).inc(recipients)


class StoredState(Collector):
    """Reads queues, quota and pauses at each scrape; a few indexed queries."""

    def __init__(self, app: Flask):
        self._app = app

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name what there is, without asking the database, which may have no tables yet."""
        yield from _families().values()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read it; when the database does not answer, ``lineconnect_up`` is 0 and all else gone."""
        families = _families()
        line = self._app.extensions[EXTENSION_KEY]
        _read_process(line, families)
        try:
            with self._app.app_context():
                _read(line, families)
        except SQLAlchemyError:
            families = _families()
            _read_process(line, families)
            families["up"].add_metric([], 0)
        else:
            families["up"].add_metric([], 1)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    described: dict[str, tuple[str, list[str]]] = {
        "up": ("Whether the database answered.", []),
        "outbox_recipients": (
            "Recipients whose message is not sent yet.",
            ["state", "category"],
        ),
        "outbox_oldest_due_seconds": ("How long the oldest due message has waited.", []),
        "inbox_events": ("Webhook events that wait, or failed for good.", ["state"]),
        "forwards_waiting": ("Webhooks that a further address has not taken yet.", ["host"]),
        "forwards_oldest_seconds": ("How long the oldest of them has waited.", ["host"]),
        "hooks_hanging": (
            "Hooks of this process that did not return within their lease.",
            ["hook"],
        ),
        "threads_alive": (
            "Whether the thread for each kind of work lives in this process.",
            ["work"],
        ),
        "quota_used": ("Messages of this month that are gone, by LINE's count or ours.", []),
        "quota_allowed": ("Messages that this month may have, by LINE and by the budget.", []),
        "sending_paused": ("Whether sending is paused.", ["reason"]),
    }
    return {
        name: GaugeMetricFamily(f"lineconnect_{name}", text, labels=labels)
        for name, (text, labels) in described.items()
    }


def _read_process(line: LineState, families: dict[str, GaugeMetricFamily]) -> None:
    """Say how this process's own threads are; no question to the database."""
    hanging = Counts(one.hook for one in line.part(Answering).threads.hanging())
    for hook, count in hanging.items():
        families["hooks_hanging"].add_metric([hook], count)
    if isinstance(line.engine, Healthy):
        for work, is_alive in line.engine.health().items():
            families["threads_alive"].add_metric([work], is_alive)


def _read(line: LineState, families: dict[str, GaugeMetricFamily]) -> None:
    session, now = line.session, line.clock()
    for labels, count in by_hand.count_unsent(session).items():
        families["outbox_recipients"].add_metric(labels, count)
    oldest = by_hand.oldest_due(session, now=now)
    seconds = 0.0 if oldest is None else (now - oldest).total_seconds()
    families["outbox_oldest_due_seconds"].add_metric([], seconds)
    events = families["inbox_events"]
    for state, is_in in (
        ("waiting", InboxEvent.next_attempt_at.is_not(None)),
        ("dead", and_(InboxEvent.finished_at.is_not(None), InboxEvent.state == "dead")),
    ):
        events.add_metric([state], session.scalar(select(func.count()).where(is_in)) or 0)
    for host, (count, since) in forwarding.waiting(line).items():
        families["forwards_waiting"].add_metric([host], count)
        families["forwards_oldest_seconds"].add_metric([host], (now - since).total_seconds())
    month = session.get(QuotaMonth, budget.month_of(now))
    families["quota_used"].add_metric([], 0 if month is None else budget.used(month))
    allowed = line.part(Rules).budget.allowed(None if month is None else month.granted)
    if allowed is not None:
        families["quota_allowed"].add_metric([], allowed)
    for pause in pauses.current(session, now=now):
        families["sending_paused"].add_metric([pause.reason], 1)
