"""What ``flask line worker`` and ``flask line outbox deliver`` share: a bar, and a calm end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
from flask import current_app

from ..outbox.by_hand import count_waiting
from ..outbox.delivery import deliver_due
from ..state import EXTENSION_KEY
from ..state import LineState

#: Seconds between two looks at how far sending is while a bar is shown.
LOOK_OFTEN = 0.25


def deliver_with_progress(line: LineState) -> None:
    """Send what is due, with a bar on a terminal; a signal lets it finish what it has begun."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            deliver_due(line)
        except BaseException as error:  # raised again in the caller's thread
            failed.append(error)

    sending = threading.Thread(target=run, name="lineconnect-deliver")
    with stopped_by_signals() as stop:
        sending.start()
        show_bar(line, stop, until=lambda: not sending.is_alive())
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


def show_bar(line: LineState, stop: threading.Event, *, until: Callable[[], bool]) -> None:
    """Show how much is sent, on a terminal only, until there is nothing to wait for.

    :param until: says so; asked four times a second.
    """
    total = waiting_now(line)
    if not sys.stdout.isatty():
        while not until() and not stop.wait(LOOK_OFTEN):
            pass
        return
    with click.progressbar(length=total, label="Sending", show_pos=True) as bar:
        while not until() and not stop.wait(LOOK_OFTEN):
            bar.update(max(0, total - waiting_now(line) - bar.pos))
        bar.update(max(0, total - waiting_now(line) - bar.pos))


def waiting_now(line: LineState) -> int:
    """Return to how many recipients something waits."""
    # What others committed since is to be seen.
    line.session.rollback()
    return count_waiting(line.session, now=line.clock())


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
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
