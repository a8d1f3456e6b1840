"""Two years of the shop's life: ten thousand members, and what LINE did with them.

``python -m demo_shop --history`` tells it into a shop that was just made. Nothing of it was sent:
rows are written in bulk, always the same but for the dates, which end today. Read ``people.py``
first, then ``sending.py``, ``buying.py`` and ``scenarios.py``; ``rows.py`` writes what they made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from flask import current_app
from flask.cli import FlaskGroup
from sqlalchemy.orm import Session

from .buying import book
from .people import join_line
from .people import make_people
from .rows import Rows
from .scenarios import play
from .sending import send_all
from .talking import talk
from .told import Told

SEED, MEMBERS = 2026, 10_000
#: So many days the orders of messages are found for; the extension keeps no events of before.
COUNTED = 400


def tell_history(
    session: Session, now: datetime, switch_on: Callable[[], None], *, members: int = MEMBERS
) -> None:
    """Write the past of a shop that has its products, and commit.

    :param switch_on: publishes the scenarios; called when the members are there, for whom nothing
        is to begin.
    """
    told = Told(random.Random(SEED), Rows(session), now)
    make_people(told, members)
    send_all(told)
    book(told, session)
    told.rows.write_shop()
    switch_on()
    play(told, session)
    join_line(told)
    talk(told, session)
    told.counts.write(told.rows)
    told.rows.write()
    session.commit()
    _find_messages()


def _find_messages() -> None:
    """Let the orders find the messages that they belong to, as ``flask line results`` does."""
    command = ["line", "results", "recount", "--days", str(COUNTED)]
    flask = FlaskGroup(add_default_commands=False)
    answer = current_app.test_cli_runner().invoke(flask, args=command)
    if answer.exit_code:
        raise RuntimeError(answer.output) from answer.exception
