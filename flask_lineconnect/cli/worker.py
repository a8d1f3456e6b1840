"""``flask line worker``: the threads of the embedded engine in a process of their own."""

from __future__ import annotations

import sys
import threading
import time

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from ..engines.embedded import ThreadEngine
from ..engines.work import settle
from ..errors import ConfigError
from ..models import QuotaMonth
from ..outbox.budget import month_of
from ..outbox.budget import used
from ..setting_up.tables import check_tables
from ..state import LineState
from .progress import show_bar
from .progress import stopped_by_signals
from .progress import this_line
from .progress import waiting_now

#: Seconds between two looks at how far sending is.
LOOK_EVERY = 2.0
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
    try:
        check_tables(line)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if metrics_port is not None:
        _show_metrics(line, metrics_port)
    engine = ThreadEngine()
    # What hooks send here is sent by this process, without waiting for a poll.
    line.engine = engine
    settle(line)
    with stopped_by_signals() as stop:
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
    try:
        start_http_server(port, addr="127.0.0.1")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise click.ClickException(f"port {port} of 127.0.0.1 can't be used: {reason}") from None


def _watch(line: LineState, stop: threading.Event) -> None:
    """Say now and then how far sending is, until told to stop."""
    told, next_at = "", 0.0
    while not stop.wait(LOOK_EVERY):
        if isinstance(line.engine, ThreadEngine):
            line.engine.ensure_running(line)
        try:
            waiting = waiting_now(line)
            if waiting >= LONG_RUN and sys.stdout.isatty():
                show_bar(line, stop, until=lambda: waiting_now(line) == 0)
            status = f"{waiting:,} waiting, {_sent_this_month(line):,} this month"
        except SQLAlchemyError as error:
            status = f"the database does not answer ({type(error).__name__})"
        if status != told and time.monotonic() >= next_at:
            click.echo(f"{line.clock().astimezone(line.config.zone):%H:%M:%S}  {status}")
            told, next_at = status, time.monotonic() + TELL_EVERY


def _sent_this_month(line: LineState) -> int:
    month = line.session.get(QuotaMonth, month_of(line.clock()))
    return 0 if month is None else used(month)
