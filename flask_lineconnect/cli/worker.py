"""``flask line worker``: the threads of the embedded engine in a process of their own."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from ..engines.embedded import ThreadEngine
from ..engines.work import settle
from ..models import QuotaMonth
from ..outbox.budget import month_of
from ..outbox.budget import used
from ..outbox.by_hand import count_waiting
from ..outbox.delivery import deliver_due
from ..state import EXTENSION_KEY
from ..state import LineState

#: Seconds between two looks at how far sending is.
LOOK_EVERY = 2.0
#: The same while a bar is shown.
LOOK_OFTEN = 0.25
#: Seconds between two lines of status.
TELL_EVERY = 60.0
#: As many recipients at once get a bar on a terminal.
LONG_RUN = 500


@click.command()
@click.option(
    "--metrics-port",
    type=click.IntRange(1, 65_535),
    help="Show metrics for Prometheus at this port of 127.0.0.1.",
)
@with_appcontext
def worker(metrics_port: int | None) -> None:
    """Run hooks and send messages until told to stop.

    For shops with LINECONNECT_ENGINE=worker; several workers may run at once. SIGTERM and Ctrl-C
    let it finish what it has begun; a second one ends it at once.
    """
    line = this_line()
    if metrics_port is not None:
        _show_metrics(line, metrics_port)
    engine = ThreadEngine()
    # What hooks send here is sent by this process, without waiting for a poll.
    line.engine = engine
    settle(line)
    with _stopped_by_signals() as stop:
        engine.ensure_running(line)
        click.echo("Working. Press Ctrl-C to stop.")
        _watch(line, stop)
        click.echo("Stopping: finishing what was begun.")
        engine.stop(line)
    click.echo("Stopped.")


def _show_metrics(line: LineState, port: int) -> None:
    try:
        from prometheus_client import start_http_server

        from ..metrics import LineMetrics
    except ModuleNotFoundError:
        raise click.ClickException(
            "metrics need the package prometheus_client; install it with "
            "`pip install 'flask-lineconnect[metrics]'`"
        ) from None
    if "lineconnect_metrics" not in line.app.extensions:
        LineMetrics(line.app)
    start_http_server(port, addr="127.0.0.1")


def deliver_with_progress(line: LineState) -> None:
    """Send what is due, with a bar on a terminal; a signal lets it finish what it has begun."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            deliver_due(line)
        except BaseException as error:  # raised again in the caller's thread
            failed.append(error)

    sending = threading.Thread(target=run, name="lineconnect-deliver")
    with _stopped_by_signals() as stop:
        sending.start()
        _show_bar(line, stop, until=lambda: not sending.is_alive())
        if stop.is_set():
            line.stopping.set()
        sending.join()
    if failed:
        raise failed[0]


def this_line() -> LineState:
    """Return the current app's state itself, for other threads."""
    state = current_app.extensions[EXTENSION_KEY]
    assert isinstance(state, LineState)
    return state


def _watch(line: LineState, stop: threading.Event) -> None:
    """Say now and then how far sending is, until told to stop."""
    told, next_at = "", 0.0
    while not stop.wait(LOOK_EVERY):
        try:
            waiting = _waiting(line)
            if waiting >= LONG_RUN and sys.stdout.isatty():
                _show_bar(line, stop, until=lambda: _waiting(line) == 0)
            status = f"{waiting:,} waiting, {_sent_this_month(line):,} this month"
        except SQLAlchemyError as error:
            status = f"the database does not answer ({type(error).__name__})"
        if status != told and time.monotonic() >= next_at:
            click.echo(f"{line.clock().astimezone(line.config.zone):%H:%M:%S}  {status}")
            told, next_at = status, time.monotonic() + TELL_EVERY


def _show_bar(line: LineState, stop: threading.Event, *, until: Callable[[], bool]) -> None:
    total = _waiting(line)
    if not sys.stdout.isatty():
        while not until() and not stop.wait(LOOK_OFTEN):
            pass
        return
    with click.progressbar(length=total, label="Sending", show_pos=True) as bar:
        while not until() and not stop.wait(LOOK_OFTEN):
            bar.update(max(0, total - _waiting(line) - bar.pos))
        bar.update(max(0, total - _waiting(line) - bar.pos))


def _waiting(line: LineState) -> int:
    # What others committed since is to be seen.
    line.session.rollback()
    return count_waiting(line.session, now=line.clock())


def _sent_this_month(line: LineState) -> int:
    month = line.session.get(QuotaMonth, month_of(line.clock()))
    return 0 if month is None else used(month)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that SIGTERM and SIGINT set; the second signal has its usual effect."""
    stop = threading.Event()
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def be_usual() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        be_usual()

    for number in usual:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        be_usual()
